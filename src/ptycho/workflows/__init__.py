"""Training and reconstruction under their original names."""
