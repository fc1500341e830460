"""What Warewulf 3 accepts as a word; it says only that it does not, or takes it for a pattern."""

NAME = "A-Za-z0-9_.-"
"""Of a bootstrap or a VNFS (their `name()`)."""
NODE = "A-Za-z0-9_.-"
"""Of a node: brackets, stars and slashes would be patterns that match others, too."""
PATH = "A-Za-z0-9_./-"
"""Of a file to import."""
