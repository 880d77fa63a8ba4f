"""The answers: summary, calls, report, and the explanation of one call."""
