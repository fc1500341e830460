"""Hands artifact sets to provisioners, reads back what arrived, and takes it back."""
