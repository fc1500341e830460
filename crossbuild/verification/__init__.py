"""Proof that a root is what it must be: architecture, libraries, kernel, capabilities, nothing left over."""
