"""Decides which notebook made a call, and looks for reasons to doubt it."""
