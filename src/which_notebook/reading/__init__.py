"""Reads what the sources list: in this process, in others, or from the cache."""
