"""Options of the command line, and the records they stand for."""
