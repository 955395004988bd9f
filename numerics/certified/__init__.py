"""Every number enclosed: what leaves this folder is proved to contain the truth."""
