"""Figures of the theory: curves over the pre-training strength, and their common style.

Only modules of this package import matplotlib.
"""
