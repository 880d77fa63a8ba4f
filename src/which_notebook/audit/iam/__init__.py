"""Decides what IAM policies allow, and what can't be told."""
