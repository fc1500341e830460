"""What runs on a node: it makes a root as it was told to, and knows nothing of who told it.

It is sent as one file (`crossbuild.jobs.bundle`) and needs Python's standard library only.
"""
