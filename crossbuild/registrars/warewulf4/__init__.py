"""Warewulf 4: `wwctl` is told what to do, and what came of it is read from disk and from nodes.conf.

What each of its versions does, and its pitfalls: docs/how-to/warewulf4.md.
"""
