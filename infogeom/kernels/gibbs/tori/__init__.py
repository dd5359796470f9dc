"""Finite tori with a field: all states counted, and the transfer of jets from row to row."""
