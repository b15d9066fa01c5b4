"""From a whole scan to one image: the main road of the product."""

from ptychopinn.inference.checks import check_halves
from ptychopinn.inference.pattern_fit import fit_of
from ptychopinn.inference.reconstruct import reconstruct
from ptychopinn.inference.reconstruction_model import ReconstructionModel
from ptychopinn.inference.scan_view import ScanView, Streaming
from ptychopinn.inference.trust import Trust, assess, not_checked

__all__ = [
    "ReconstructionModel",
    "ScanView",
    "Streaming",
    "Trust",
    "assess",
    "check_halves",
    "fit_of",
    "not_checked",
    "reconstruct",
]
