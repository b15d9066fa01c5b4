"""The probe and the positions of a scan, made to agree with its patterns.

refined = refine(scan, RefinementConfig(refine_probe=True), device=device)
refined.scan          # the same patterns with a better probe and better positions
"""

from ptychopinn.refinement.learned import LearnedScan
from ptychopinn.refinement.records import RefinedScan
from ptychopinn.refinement.refine import probe_change, refine, sweeps_of, wants_refinement

__all__ = [
    "LearnedScan",
    "RefinedScan",
    "probe_change",
    "refine",
    "sweeps_of",
    "wants_refinement",
]
