"""Pictures and tables of a result; the only place that knows matplotlib.

    write_pictures(reconstruction, history, folder)      # amplitude, phase, probe, coverage, loss
    draw_comparison(reconstruction.object, truth, reconstruction.coverage, path)
    console.print(metrics_table(comparison.to_dict()))

Every ``draw_...`` writes one PNG file, whole or not at all, and returns its path. Figures are made
as objects, without pyplot, so nothing of matplotlib's global state is touched and threads may
draw at the same time. `view`, `contrast`, `phase` and `scalebar` decide what is shown, in NumPy;
`sheet` and `panel` put it on paper.
"""

from ptychopinn.report.comparison import draw_comparison
from ptychopinn.report.coverage import draw_coverage
from ptychopinn.report.curves import Curve, CurveAxes, draw_curve_panels, draw_curves
from ptychopinn.report.gallery import GalleryRow, draw_gallery
from ptychopinn.report.losses import draw_losses
from ptychopinn.report.mask import draw_mask
from ptychopinn.report.matrices import Matrix, draw_matrices
from ptychopinn.report.pictures import (
    draw_amplitude,
    draw_phase,
    draw_result,
    write_pictures,
)
from ptychopinn.report.probe import draw_probe
from ptychopinn.report.quality import draw_quality_over_seconds
from ptychopinn.report.refinement import Refinement, draw_refinement, refinement_of
from ptychopinn.report.side_by_side import SideBySideColumn, draw_side_by_side
from ptychopinn.report.tables import metrics_table
from ptychopinn.report.uncertainty import draw_uncertainty

__all__ = [
    "Curve",
    "CurveAxes",
    "GalleryRow",
    "Matrix",
    "Refinement",
    "SideBySideColumn",
    "draw_amplitude",
    "draw_comparison",
    "draw_coverage",
    "draw_curve_panels",
    "draw_curves",
    "draw_gallery",
    "draw_losses",
    "draw_mask",
    "draw_matrices",
    "draw_phase",
    "draw_probe",
    "draw_quality_over_seconds",
    "draw_refinement",
    "draw_result",
    "draw_side_by_side",
    "draw_uncertainty",
    "metrics_table",
    "refinement_of",
    "write_pictures",
]
