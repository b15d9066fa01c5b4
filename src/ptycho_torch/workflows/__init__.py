"""Whole runs by the names of the original design."""
