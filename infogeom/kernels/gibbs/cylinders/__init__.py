"""Infinite cylinders: the largest eigenvalue of the transfer matrix and its derivatives."""
