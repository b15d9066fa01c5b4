"""From a whole scan to one image: the main road of the product."""

from ptychopinn.inference.checks import check_halves
from ptychopinn.inference.reconstruct import ReconstructionModel, reconstruct
from ptychopinn.inference.scan_view import ScanView

__all__ = ["ReconstructionModel", "ScanView", "check_halves", "reconstruct"]
