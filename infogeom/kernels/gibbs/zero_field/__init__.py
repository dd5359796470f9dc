"""Tori without a field: free fermions, by Kaufman's sum and Pfaffians."""
