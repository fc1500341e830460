"""Stand-ins for what crossbuild talks to, which keep the rules of the real things."""
