"""``ptychopinn train``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from ptychopinn.bundle import BUNDLE_NAME, Bundle, save_bundle
from ptychopinn.cli.check import checked
from ptychopinn.cli.folder import command_line, write_history
from ptychopinn.cli.page import PAGE_NAME, write_training_page
from ptychopinn.config import Config
from ptychopinn.errors import OutputError
from ptychopinn.io import read_scan, staged_folder
from ptychopinn.io.atomic import require_folder_place
from ptychopinn.processes import current, looking_together
from ptychopinn.report import Refinement, draw_losses, draw_refinement
from ptychopinn.training import CHECKPOINT_NAME, train


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Train and write the bundle with its history."""
    config = Config.from_dict(settings)
    require_folder_place(parsed.output)
    with looking_together(current()):
        scan = read_scan(parsed.scan, config.data)
    checks = checked(scan)
    bundle = train(scan, config, parsed.output, resume=parsed.resume, progress=sys.stderr.isatty())
    bundle = replace(bundle, statistics={**bundle.statistics, "checks": checks})
    place = write_training(Path(parsed.output), bundle)
    print(summary(bundle))
    print(f"bundle: {place}\nnext: ptychopinn reconstruct {parsed.scan} --bundle {place}")
    return 0


def write_training(folder: Path, bundle: Bundle) -> Path:
    """Write bundle, config.yaml, history.csv, pictures and report.html; return the bundle's place.

    The bundle is moved in before anything is drawn, so that a failure to draw costs no training.
    Of several processes the first one writes.

    Raises:
        OutputError: Something cannot be written; the sentence says what is kept.
    """
    place = folder / BUNDLE_NAME
    if not current().first:
        return place
    pictures = ("loss.png", "refinement.png", PAGE_NAME)
    checkpoint = folder / CHECKPOINT_NAME
    with (
        _kept(checkpoint, "make room and go on with the same command and --resume"),
        staged_folder(folder, outdated=pictures) as stage,
    ):
        save_bundle(Path(stage) / BUNDLE_NAME, bundle)
        write_history(Path(stage) / "history.csv", bundle.history)
        (Path(stage) / "config.yaml").write_text(bundle.config.to_yaml(), encoding="utf-8")
    with (
        _kept(place, "pictures are missing: ptychopinn report makes the page again"),
        staged_folder(folder) as stage,
    ):
        _draw(Path(stage), bundle)
    return place


def _draw(place: Path, bundle: Bundle) -> None:
    """Draw all pictures of a training, and its page, into a folder."""
    draw_losses(bundle.history, place / "loss.png")
    change = _refinement(bundle)
    if change is not None:
        draw_refinement(change, place / "refinement.png")
    write_training_page(place, bundle, command_line())


@contextmanager
def _kept(place: Path, step: str) -> Iterator[None]:
    """Say behind a failure to write what of the training is kept, and what to do next."""
    try:
        yield
    except OutputError as error:
        if not place.exists():
            raise
        raise OutputError(f"{error} The training is kept in {place}; {step}.") from error


def _refinement(bundle: Bundle) -> Refinement | None:
    """Return what was refined for the training; None = nothing."""
    if bundle.start_probe is None and bundle.start_positions_px is None:
        return None
    return Refinement(
        before=bundle.start_probe,
        after=None if bundle.start_probe is None else bundle.probe,
        places_before_px=bundle.start_positions_px,
        places_after_px=bundle.positions_px,
    )


def summary(bundle: Bundle) -> str:
    """Return one sentence on a training run."""
    figures = bundle.statistics
    last = bundle.history[-1] if bundle.history else {}
    losses = ", ".join(
        f"{name.removesuffix('_loss')} loss {last[name]:.4g}"
        for name in ("train_loss", "val_loss")
        if last.get(name) is not None
    )
    return (
        f"{bundle.config.generator.name}: {figures['steps']} steps on {figures['patterns']} "
        f"patterns in {figures['seconds']:.1f} s; {losses}"
    )
