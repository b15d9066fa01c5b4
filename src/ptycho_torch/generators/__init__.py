"""Networks by the names of the original design."""
