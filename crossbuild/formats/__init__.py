"""File formats of the outside world: bytes in, facts out, no I/O beyond the file handed in."""
