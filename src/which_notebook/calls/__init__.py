"""Calls, and what is asked of them: knows nothing of logs."""
