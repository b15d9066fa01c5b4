"""The spectral networks by their original names; the classes are those of `ptychopinn`."""

from typing import Any

from ptychopinn.generators import spectral
from ptychopinn.generators.fno import CascadedFno as CascadedFNOGenerator
from ptychopinn.generators.fno import PtychoBlock, SpatialLifter
from ptychopinn.generators.hybrid import HybridUno as HybridUNOGenerator

__all__ = ["CascadedFNOGenerator", "HybridUNOGenerator", "PtychoBlock", "SpatialLifter"]


def __getattr__(name: str) -> Any:
    """Answer ``HAS_NEURALOPERATOR``, true exactly when ``import neuralop`` succeeds."""
    if name == "HAS_NEURALOPERATOR":
        return spectral.HAS_NEURALOPERATOR
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
