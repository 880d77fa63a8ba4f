"""Says of each notebook instance of an account whether its calls can be attributed, and what to change where they can't.

It only reads. What it can't read or decide it reports as such, and never as fine.
"""
