"""Compiled functions: what they may call, how they are compiled, and where their machine code is kept."""
