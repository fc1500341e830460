"""Runs what does not depend on the architecture natively while an aarch64 root is built."""
