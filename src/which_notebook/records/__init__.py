"""Reads the bytes of a log file into calls."""
