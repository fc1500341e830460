"""OpenHPC: its releases and the package names of its guides as data, and what an image gets of them."""
