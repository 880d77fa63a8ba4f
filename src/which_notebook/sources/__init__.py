"""The places where records are kept, and how to read them."""
