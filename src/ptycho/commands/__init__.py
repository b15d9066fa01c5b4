"""The console commands ``ptycho_train`` and ``ptycho_inference``."""
