"""Reads the sources: in this process, in worker processes, or from the cache."""
