"""Local Sphinx extensions: what the pages show is made when they are built, so it cannot differ."""
