"""Starts artifact sets in qemu-system-aarch64 as their provisioners would, and judges what comes up."""
