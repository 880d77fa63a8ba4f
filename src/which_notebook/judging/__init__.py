"""Which notebook made a call, and what speaks against that."""
