"""``ptychopinn orient``."""

import dataclasses
import json
import shlex
import time
from dataclasses import replace
from typing import Any

from jsonargparse import Namespace
from rich.console import Console
from rich.table import Table

from ptychopinn.cli.check import FAILED
from ptychopinn.config import DataConfig
from ptychopinn.io import read_scan
from ptychopinn.io.zero_frequency import ZeroFrequency, find_zero_frequency, mean_light
from ptychopinn.preflight import Hypothesis, OrientationRanking, rank_orientations
from ptychopinn.scan import Scan
from ptychopinn.symmetry import ORIENTATIONS, SCAN_AXES, orientation_name, scan_axes_name

_LEGEND = (
    "deviance: of patterns that were held out, per pixel, the smaller the better; curl: the share "
    "of their mean momenta that is no gradient"
)


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Rank the orientations of a scan and print the flags of the winner; 1 when there is none."""
    started = time.monotonic()
    data = DataConfig.from_dict(settings["data"])
    scan, data, zero = _read(parsed.scan, data)
    ranking = _with_given(rank_orientations(scan, device=parsed.device), data)
    seconds = time.monotonic() - started
    decided = ranking.decision == "clear"
    flags = _flags(ranking.best, data)
    if parsed.json:
        answer = dataclasses.asdict(ranking) | {"seconds": seconds, "zero_frequency": zero.centre}
        print(json.dumps(answer | {"flags": flags if decided else None}, indent=2))
        return 0 if decided else FAILED
    Console().print(_table(str(parsed.scan), ranking))
    print(_LEGEND)
    for line in (_zero_said(zero, data), *_said(ranking, flags, str(parsed.scan))):
        print(line)
    print(f"{ranking.patterns} patterns reconstructed, {ranking.held_out} judged, {seconds:.1f} s")
    return 0 if decided else FAILED


def _read(path: str, data: DataConfig) -> tuple[Scan, DataConfig, ZeroFrequency]:
    """Read a scan, decide where its zero frequency is, and say so in the settings."""
    as_it_is = replace(data, zero_frequency="middle")
    scan = read_scan(path, as_it_is if data.zero_frequency == "auto" else data)
    zero = find_zero_frequency(mean_light(scan.patterns, ~scan.mask))
    if data.zero_frequency == "auto" and zero.in_corner:
        data = replace(data, zero_frequency="corner")
        scan = read_scan(path, data)
    return scan, data, zero


def _with_given(ranking: OrientationRanking, data: DataConfig) -> OrientationRanking:
    """Count the turns that were already asked for among those that are found."""
    given = ORIENTATIONS[data.orientation], SCAN_AXES[data.scan_axes]
    found = tuple(
        replace(
            one,
            orientation=orientation_name(ORIENTATIONS[one.orientation].after(given[0])),
            scan_axes=scan_axes_name(SCAN_AXES[one.scan_axes].after(given[1])),
        )
        for one in ranking.hypotheses
    )
    return replace(ranking, hypotheses=found)


def _flags(best: Hypothesis, data: DataConfig) -> str:
    """Return the flags with which train and reconstruct read the scan so."""
    wanted = {"--orientation": best.orientation, "--scan-axes": best.scan_axes}
    flags = [f"{flag} {value}" for flag, value in wanted.items() if value != "stored"]
    if data.zero_frequency == "corner":
        flags.append("--zero-frequency corner")
    return " ".join(flags)


def _table(title: str, ranking: OrientationRanking) -> Table:
    table = Table(title=title)
    for name in ("--orientation", "--scan-axes"):
        table.add_column(name)
    for name in ("deviance", "behind by", "worse on", "curl"):
        table.add_column(name, justify="right")
    for one in ranking.hypotheses:
        left = "" if one.gradient_misfit is None else f"{one.gradient_misfit:.0%}"
        table.add_row(
            one.orientation,
            one.scan_axes,
            f"{one.deviance:.3f}",
            f"{one.behind:.1f} sigma" if one is not ranking.best else "",
            f"{one.worse_on} of {ranking.held_out}" if one is not ranking.best else "",
            left,
        )
    return table


def _zero_said(zero: ZeroFrequency, data: DataConfig) -> str:
    where = "corner" if data.zero_frequency == "corner" else "middle"
    return (
        f"zero frequency: read in the {where}; the light gathers about pixel "
        f"({zero.centre[0]:.0f}, {zero.centre[1]:.0f}) of {zero.n}"
    )


def _said(ranking: OrientationRanking, flags: str, path: str) -> list[str]:
    """Return the sentences below the table."""
    if ranking.decision == "clear":
        lead = f"winner: {ranking.best.orientation}, by {ranking.margin:.1f} standard errors"
        if not flags:
            return [f"{lead}; the file is read right as it is"]
        return [lead, f"next: ptychopinn reconstruct {shlex.quote(path)} {flags}"]
    if ranking.decision == "twins":
        first, second = ranking.best.orientation, ranking.twin.orientation
        return [
            f"no winner: {first} or {second}, which are twins; with this probe, nearly its own "
            "conjugate, no pattern tells an image from its conjugate. Give a probe with its "
            "defocus (--probe), or choose by what is known of the beamline."
        ]
    return [
        f"no winner: the best leads by {ranking.margin:.1f} standard errors only. Look at the "
        "positions and the probe (ptychopinn check), or choose by what is known of the beamline."
    ]
