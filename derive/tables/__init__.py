"""LaTeX tables of the theory, and the command that writes them."""
