"""Debian and Ubuntu: apt and mmdebstrap run natively, only dpkg and its scripts on the root's programs."""
