"""A report on one pair: what is known of it on one page that needs nothing else."""
