"""How many sweeps a scan gets when nobody says: more where the learned ones leave it far away."""

import logging
from collections.abc import Callable

import torch

from ptychopinn.generators import CanvasGenerator
from ptychopinn.inference.scan_view import ScanView
from ptychopinn.physics.subsets import Subset

_LOG = logging.getLogger(__name__)

#: A scan is far from explained when the last learned sweep still took this share of the deviance
#: away. Structured probes: 0.5 to 2.4 %; a Gaussian with a flat phase, whose patterns tell little
#: of high frequencies: 20 %.
_FAR = 0.05
#: It has settled when a whole sweep takes less than this.
_SETTLED = 0.005
#: Whole sweeps after the learned stages, at most.
_MOST_SWEEPS = 40


def settled_canvas(
    generator: CanvasGenerator,
    view: ScanView,
    on_more: Callable[[int], None] | None = None,
) -> torch.Tensor:
    """Sweep until the patterns are explained about as well as they will be.

    Generators whose sweeps take subsets learned their pace for few stages, after which one whole
    sweep follows. A scan that they leave far from explained gets more whole sweeps, until the
    deviance falls by less than half a percent a sweep. It is judged on one of the subsets, so that
    judging costs little.

    Args:
        generator: Without subsets, it takes the stages that it has.
        view: The whole scan.
        on_more: Called with the number of sweeps to come whenever more are taken than were due.

    Returns:
        (1, H, W) complex object.
    """
    learned, due = generator.stages, generator.whole_scan_stages
    if due == learned:
        return generator(view, learned)
    judged = Subset(0, view.subsets)
    before, far = float("inf"), False
    stage, canvas = 0, torch.empty(0)
    for stage, canvas in enumerate(generator.sweeps(view, learned + _MOST_SWEEPS), start=1):
        if stage < learned - 1:
            continue
        if stage == due and not far:
            break
        left = view.deviance(canvas, judged)
        falls = 1 - left / before if before < float("inf") else 0.0
        before = left
        if stage == learned:
            far = falls > _FAR
        if stage >= due:
            if stage > due and falls < _SETTLED:
                break
            if on_more is not None:
                on_more(1)
    if stage > due:
        _LOG.info("%d sweeps: after %d the patterns were far from explained", stage, learned)
    return canvas
