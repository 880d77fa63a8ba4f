"""What is put out: summary, calls, report and the explanation of one call."""
