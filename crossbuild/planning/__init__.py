"""From what the user asked for and what this host is to what will be done: pure functions."""
