"""The explorer: the theory as one page that runs in any browser, from disk, without a request."""
