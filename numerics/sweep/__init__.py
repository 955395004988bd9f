"""Many cells computed by any executor, each kept in a file of its own."""
