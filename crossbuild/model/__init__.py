"""Frozen nouns without I/O: what the rest of crossbuild talks about."""
