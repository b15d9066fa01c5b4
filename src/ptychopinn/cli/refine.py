"""``ptychopinn refine``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from ptychopinn.cli.earlier_result import EarlierResult, open_result
from ptychopinn.cli.folder import write_result
from ptychopinn.cli.progress import reconstruction_progress
from ptychopinn.cli.reconstruct import describe_trust
from ptychopinn.config import IterativeConfig
from ptychopinn.errors import ConfigError
from ptychopinn.inference import fit_of, not_checked
from ptychopinn.io.atomic import require_folder_place
from ptychopinn.iterative import Epoch, Watch, go_on
from ptychopinn.iterative.engines import engine
from ptychopinn.scan import Reconstruction, Scan


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Go on from a result with an iterative solver and write a folder of the same layout."""
    wanted = IterativeConfig.from_dict(settings["iterative"])
    engine(wanted.engine).prepare()
    source = open_result(parsed.result)
    folder = Path(parsed.output) if parsed.output else _beside(source, wanted)
    if folder.resolve() == source.place.resolve():
        raise ConfigError(f"--output: {folder} is the result itself; name another folder.")
    require_folder_place(folder)
    scan = source.read_scan(parsed.scan)
    with _progress(wanted) as watch:
        went = go_on(scan, source.made, wanted, watch)
    found = _judged(scan, source, went.made, wanted)
    write_result(folder, found, [_row(epoch) for epoch in went.epochs], source.config, scan)
    _say(found, wanted, folder)
    return 0


def _beside(source: EarlierResult, wanted: IterativeConfig) -> Path:
    folder = source.place if source.place.is_dir() else source.place.parent
    folder = folder if folder.name else folder.resolve()
    return folder.with_name(f"{folder.name}-{wanted.engine}")


@contextmanager
def _progress(wanted: IterativeConfig) -> Iterator[Watch]:
    """Yield what moves a bar after each epoch, when somebody is looking."""
    with reconstruction_progress() as report:

        def watch(epoch: Epoch, image: object) -> None:  # noqa: ARG001
            if report is not None:
                report(f"refine ({wanted.engine})", 1, wanted.epochs)

        yield watch


def _judged(
    scan: Scan, source: EarlierResult, found: Reconstruction, wanted: IterativeConfig
) -> Reconstruction:
    """Say how well the image explains the patterns that it was made from, before and after."""
    before, after = (fit_of(scan, made, wanted.device) for made in (source.made, found))
    quality = {
        "deviance_before": float(before.deviance.mean()),
        "deviance": float(after.deviance.mean()),
        "deviance_of_noise": float(after.expected.mean()),
    }
    provenance = {**found.provenance}
    provenance["started_from"] = {
        "result": str(source.place),
        **found.provenance["started_from"],
    }
    provenance["trust"] = not_checked(
        f"{wanted.engine} went on with all patterns, none is left to judge by",
        f"ptychopinn compare {source.place} with this one shows which explains them better",
    ).to_dict()
    return replace(found, quality=quality, pattern_fit=after, provenance=provenance)


def _row(epoch: Epoch) -> dict[str, Any]:
    return {"epoch": epoch.number, "seconds": round(epoch.seconds, 3), "train_loss": epoch.loss}


def _say(found: Reconstruction, wanted: IterativeConfig, folder: Path) -> None:
    seconds, quality = found.provenance["seconds"], found.quality
    print(
        f"{wanted.engine}: {wanted.epochs} epochs of {found.provenance['patterns']} patterns in "
        f"{seconds:.2f} s ({seconds / wanted.epochs:.2f} s an epoch)"
    )
    print(
        f"deviance on all patterns: {quality['deviance_before']:.3f} per pixel before, "
        f"{quality['deviance']:.3f} after (photon noise alone: {quality['deviance_of_noise']:.3f})"
    )
    print(f"results: {folder}")
    print(describe_trust(found.provenance["trust"]))
