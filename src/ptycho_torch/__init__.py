"""The PyTorch names of the original design, over `ptychopinn`; nothing is imported before use."""
