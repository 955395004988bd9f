"""Datasets: where images come from, how they are shifted and split."""
