"""Gibbs models by their cumulants: sums over states, transfer matrices, counts of states."""
