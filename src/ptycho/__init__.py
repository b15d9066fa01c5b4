"""The names of the original PtychoPINN over `ptychopinn`; docs/original.md tells which is which."""
