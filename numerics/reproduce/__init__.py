"""Every table, figure and claim of the paper from scratch, and a page that shows them."""
