"""From a whole scan to one image: the main road of the product."""

from ptychopinn.inference.checks import check_halves
from ptychopinn.inference.reconstruct import ReconstructionModel, reconstruct
from ptychopinn.inference.scan_view import ScanView
from ptychopinn.inference.trust import Trust, assess

__all__ = [
    "ReconstructionModel",
    "ScanView",
    "Trust",
    "assess",
    "check_halves",
    "reconstruct",
]
