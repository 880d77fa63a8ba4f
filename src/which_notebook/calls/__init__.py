"""Calls, and the questions about them. Nothing here knows about logs."""
