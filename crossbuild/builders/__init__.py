"""Builders: kept, run in, and taken back to a snapshot, whatever engine holds them."""
