"""A task from its file to its report: cells, results, statistics, figure."""
