"""How near a complex image is to a reference: NumPy arrays in, plain numbers out.

    comparison = compare(reconstruction.object, truth, weight=coverage, region="y:250:400")
    comparison.metrics.phase.ssim, comparison.to_dict()

`compare` does everything: it aligns the two images (`align`: shift, phase ramp and global factor,
none of which diffraction data can tell), cuts the region, and measures what is left (`measure` for
this project's definitions, `paper_metrics` for those of published tables,
`fourier_ring_correlation` and `crossing` for the resolution). Each of these can be called alone.
Nothing here knows torch, scans or files.
"""

from ptychopinn.evaluation.align import Alignment, align
from ptychopinn.evaluation.compare import Comparison, compare
from ptychopinn.evaluation.frc import (
    THRESHOLDS,
    Crossing,
    RingCorrelation,
    crossing,
    fourier_ring_correlation,
    threshold_curve,
)
from ptychopinn.evaluation.metrics import Metrics, Scores, complex_nrmse, measure
from ptychopinn.evaluation.paper import PaperMetrics, PaperScores, paper_metrics
from ptychopinn.evaluation.region import Region
from ptychopinn.evaluation.ssim import ms_ssim, n_scales, ssim

__all__ = [
    "THRESHOLDS",
    "Alignment",
    "Comparison",
    "Crossing",
    "Metrics",
    "PaperMetrics",
    "PaperScores",
    "Region",
    "RingCorrelation",
    "Scores",
    "align",
    "compare",
    "complex_nrmse",
    "crossing",
    "fourier_ring_correlation",
    "measure",
    "ms_ssim",
    "n_scales",
    "paper_metrics",
    "ssim",
    "threshold_curve",
]
