"""Ratios of speed and size, each measured in one run; `make bench` runs them."""
