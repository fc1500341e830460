"""A plan becomes a root: each step on the machine that it belongs to."""
