"""Settings under their original names."""
