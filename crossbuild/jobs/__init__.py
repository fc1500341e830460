"""Builds that run elsewhere, and records of all builds that run or ran."""
