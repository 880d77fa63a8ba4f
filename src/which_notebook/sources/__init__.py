"""Where records are kept, and how they are had from there."""
