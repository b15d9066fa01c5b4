"""How many sweeps a scan gets when nobody says: more where the learned ones leave it far away."""

import logging
from collections.abc import Callable

import torch

from ptychopinn.generators import CanvasGenerator
from ptychopinn.inference.long_waves import long_wave_phase
from ptychopinn.inference.scan_view import ScanView
from ptychopinn.physics.subsets import Subset

_LOG = logging.getLogger(__name__)

#: A scan is far from explained when the last learned sweep still took this share of the deviance
#: away. Structured probes: 0.5 to 2.4 %; a Gaussian with a flat phase, whose patterns tell little
#: of high frequencies: 20 %.
_FAR = 0.05
#: It has settled when a whole sweep takes less than this.
_SETTLED = 0.005
#: One pattern in so many is asked for the slope of the phase: long waves want no more.
_ASKED = 4
#: Whole sweeps after the learned stages, at most.
_MOST_SWEEPS = 40


def swept_canvas(
    generator: CanvasGenerator, view: ScanView, stages: int, *, long_waves: bool = True
) -> torch.Tensor:
    """Take as many sweeps as are asked for; where they go beyond learned ones, long waves too.

    Args:
        generator: Long waves come after the stages that it learned, as in `settled_canvas`.
        view: The whole scan.
        stages: Number of sweeps.
        long_waves: Add them.

    Returns:
        (1, H, W) complex object.
    """
    learned = generator.stages if generator.whole_scan_stages > generator.stages else None
    canvas = torch.empty(0)
    for stage, canvas in enumerate(generator.sweeps(view, stages), start=1):
        if long_waves and stage == learned and stage < stages:
            add_long_waves(canvas, view)
    return canvas


def settled_canvas(
    generator: CanvasGenerator,
    view: ScanView,
    on_more: Callable[[int], None] | None = None,
    *,
    long_waves: bool = True,
) -> torch.Tensor:
    """Sweep until the patterns are explained about as well as they will be.

    Generators whose sweeps take subsets learned their pace for few stages, after which one whole
    sweep follows. A scan that they leave far from explained gets more whole sweeps, until the
    deviance falls by less than half a percent a sweep. It is judged on one of the subsets, so that
    judging costs little. After the learned sweeps `long_wave_phase` is added.

    Args:
        generator: Without subsets, it takes the stages that it has.
        view: The whole scan.
        on_more: Called with the number of sweeps to come whenever more are taken than were due.
        long_waves: Add them.

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
            if long_waves:
                add_long_waves(canvas, view)
        if stage > due and falls < _SETTLED:
            break
        if stage >= due and on_more is not None:
            on_more(1)
    if stage > due:
        _LOG.info("%d sweeps: after %d the patterns were far from explained", stage, learned)
    return canvas


def add_long_waves(canvas: torch.Tensor, view: ScanView) -> None:
    """Add the long waves that some patterns ask for, as far as others bear them out; in place.

    All of the phase where it explains those better than none of it. A probe or positions that are
    only nearly right ask for too much: then the share where the parabola through their deviance
    without, with half and with all of it is lowest.

    Args:
        canvas: (1, H, W) complex object.
        view: The whole scan.
    """
    parts = min(view.subsets, _ASKED)
    phase = long_wave_phase(view, canvas, Subset(0, parts))
    if phase is None:
        return
    judges = Subset(parts - 1, parts)

    def deviance(share: float) -> float:
        turned = canvas.clone()
        phase.turn(turned, share)
        return view.deviance(turned, judges)

    none, whole = view.deviance(canvas, judges), deviance(1.0)
    share = 1.0 if whole < none else lowest_share(none, deviance(0.5), whole)
    if share > 0:
        phase.turn(canvas, share)


def lowest_share(none: float, half: float, whole: float) -> float:
    """Return where the parabola through values at 0, 1/2 and 1 is lowest; 0 where it rises.

    Args:
        none: Value at 0.
        half: Value at 1/2.
        whole: Value at 1, no less than ``none``.
    """
    curvature = 2 * (none - 2 * half + whole)
    slope = whole - none - curvature
    return -slope / (2 * curvature) if slope < 0 else 0.0
