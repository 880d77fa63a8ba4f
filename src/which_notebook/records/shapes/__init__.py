"""What records are wrapped in where people keep them, and what they were rewritten to: the seam between content and record.

A record is only what stands where a shape says that records stand. What is a record itself is never unwrapped, whatever
its members: their text is its caller's.
"""
