"""Warewulf 3: `wwsh` is told what to do, and what came of it is read from its datastore and from disk.

What each of its versions does, and its pitfalls: docs/how-to/warewulf3.md.
"""
