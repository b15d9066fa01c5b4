"""Our own solver from a finished image; it needs nothing but this package."""

import time
from dataclasses import replace

from ptychopinn.config import IterativeConfig, RefinementConfig
from ptychopinn.device import resolve_device
from ptychopinn.errors import TrainingError
from ptychopinn.iterative.records import Epoch, Solution, Start, Watch
from ptychopinn.refinement import refine


def solve_with_pie(start: Start, settings: IterativeConfig, watch: Watch | None) -> Solution:
    """Run ordered-subset PIE with momentum from an image (`refinement.refine`).

    The solver tells its misfit of the first and the last epoch, and shows the image in the end.

    Raises:
        TrainingError: The misfit rose instead of falling.

    Tested: tests/iterative/test_pie_engine.py.
    """
    began = time.monotonic()
    total, ends = 0, [0.0] * settings.epochs

    def count(patterns: int) -> None:
        nonlocal total
        total += patterns
        epoch, left = divmod(total, start.scan.n_patterns)
        if not left and 0 < epoch <= settings.epochs:
            ends[epoch - 1] = time.monotonic() - began
            if watch is not None:
                watch(Epoch(epoch, ends[epoch - 1]), None)

    found = refine(
        start.scan,
        _wanted(settings),
        device=resolve_device(settings.device),
        start=start.object,
        batch_size=settings.batch_size,
        on_progress=count,
    )
    if found.canvas is None:
        raise TrainingError(
            f"{start.scan.name}: engine 'pie' made the misfit worse, not better; nothing was "
            "written; take fewer --epochs or leave positions and probe as they are."
        )
    first, last = (found.figures[f"misfit_{which}_sweep"] for which in ("first", "last"))
    ends[-1] = time.monotonic() - began
    epochs = [Epoch(number, seconds) for number, seconds in enumerate(ends, start=1)]
    epochs[0] = replace(epochs[0], loss=first)
    epochs[-1] = replace(epochs[-1], loss=last)
    return Solution(
        object=found.canvas,
        probe=found.scan.probe,
        positions_px=found.scan.positions_px,
        epochs=tuple(epochs),
        library={},
    )


def _wanted(settings: IterativeConfig) -> RefinementConfig:
    return RefinementConfig(
        refine_probe=settings.refine_probe,
        refine_positions=settings.refine_positions,
        refine_sweeps=settings.epochs,
    )
