"""Calls, what a reading searches for, and filters. Nothing here reads files."""
