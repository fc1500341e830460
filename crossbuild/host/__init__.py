"""The only package that inspects or changes this machine."""
