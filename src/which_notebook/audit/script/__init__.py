"""Tells from a notebook instance's scripts how its calls are attributed."""
