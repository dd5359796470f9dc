"""Generated sources in ball arithmetic, of any precision and of a fixed one."""
