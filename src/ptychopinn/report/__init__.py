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
from ptychopinn.report.losses import draw_losses
from ptychopinn.report.pictures import (
    draw_amplitude,
    draw_phase,
    draw_result,
    write_pictures,
)
from ptychopinn.report.probe import draw_probe
from ptychopinn.report.tables import metrics_table

__all__ = [
    "draw_amplitude",
    "draw_comparison",
    "draw_coverage",
    "draw_losses",
    "draw_phase",
    "draw_probe",
    "draw_result",
    "metrics_table",
    "write_pictures",
]
