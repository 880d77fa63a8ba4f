"""From a file's bytes to the calls that its records tell of."""
