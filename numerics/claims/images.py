"""Claims on linear networks."""
