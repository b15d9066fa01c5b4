"""Before anything is reconstructed: is the scan as it is said to be, and how does it lie?"""

from ptychopinn.preflight.checks import check_scan, quick_checks
from ptychopinn.preflight.findings import Finding, worst
from ptychopinn.preflight.orientation import rank_orientations
from ptychopinn.preflight.ranking import Hypothesis, OrientationRanking

__all__ = [
    "Finding",
    "Hypothesis",
    "OrientationRanking",
    "check_scan",
    "quick_checks",
    "rank_orientations",
    "worst",
]
