"""Differentiable operators with their adjoints, losses and the gauge; torch only."""
