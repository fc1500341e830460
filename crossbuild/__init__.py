"""Build aarch64 system images for HPC clusters on x86_64 management servers."""

__version__ = "0.1.0"
