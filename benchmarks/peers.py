"""Ours beside the engines of pty-chi: seconds, peak memory and quality on the same scans.

Usage: python -m benchmarks.peers [--rounds 3] [--real SCAN.npz --reference REFERENCE.npz] [-o out]

Methods run one after the other, each in a process of its own, all with one thread, in several
rounds. Seconds include reading, handing over and stitching, not imports. First with the probe
known (that of the reference; of the simulation), which nobody refines; then, on the real scan,
from the probe that the file guesses, which everybody refines. Engines of pty-chi start from a flat
object, or from our image where the table says so. Their step and batch were chosen for them, on
the real scan, among a handful (`iterative.ptychi_options.RECIPES`).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe_machine
from ptychopinn.config import DataConfig, PhysicsConfig, SimulationConfig
from ptychopinn.data import normalise
from ptychopinn.device import resolve_device
from ptychopinn.errors import ConfigError
from ptychopinn.evaluation import compare
from ptychopinn.io import read_reference, read_scan, write_scan_npz
from ptychopinn.iterative.ptychi_engine import load_ptychi
from ptychopinn.iterative.result import illumination
from ptychopinn.report import Curve, draw_quality_over_seconds
from ptychopinn.scan import Scan
from ptychopinn.simulation import simulate

CONSOLE = Console(width=130)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
LIT = 0.1


@dataclass(frozen=True)
class Case:
    """A scan, and what its images are held against."""

    name: str
    scan: Path
    reference: np.ndarray
    weight: np.ndarray
    """(H, W), 1 where the scan is well lit."""
    region: str
    refine_probe: bool = False

    def quality(self, image: np.ndarray) -> tuple[float, float]:
        """Return phase RMSE in rad and phase SSIM, as `ptychopinn evaluate` does."""
        common = tuple(
            slice(0, min(sides)) for sides in zip(image.shape, self.reference.shape, strict=True)
        )
        found = compare(
            image[common], self.reference[common], weight=self.weight[common], region=self.region
        )
        return found.metrics.phase.rmse, found.metrics.phase.ssim


@dataclass(frozen=True)
class Method:
    """What is run."""

    label: str
    name: str
    epochs: int
    start: str | None = None
    """Label of the method whose image it goes on from."""


@dataclass
class Record:
    """What was measured of a method, a run an entry."""

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)
    marks: list[dict] = field(default_factory=list)
    """Of the last run: epochs, seconds, phase RMSE and SSIM."""


OURS = (
    Method("ours: unrolled", "unrolled", 5),
    *(Method(f"ours: pie, {sweeps} sweeps", "pie", sweeps) for sweeps in (5, 10, 20)),
)


def known_probe(peers: bool, epochs: int) -> list[Method]:
    """Return the methods of the first table."""
    engines = ("lsqml", "rpie", "autodiff") if peers else ()
    return [*OURS, *(Method(f"pty-chi: {name}", name, epochs) for name in engines)]


def guessed_probe(peers: bool, epochs: int) -> list[Method]:
    """Return the methods of the second table."""
    ours = Method("ours alone: probe refined, unrolled", "unrolled", 5)
    if not peers:
        return [ours]
    return [
        ours,
        Method("pty-chi lsqml from scratch", "lsqml", 2 * epochs),
        Method("pty-chi lsqml from our image", "lsqml", epochs, start=ours.label),
    ]


def run_one(case: Case, method: Method, folder: Path) -> dict:
    """Run a method in a process of its own with one thread."""
    place = folder / case.name.replace(" ", "-") / method.label.replace(" ", "-").replace(":", "")
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.peer", str(case.scan)]
    command += [method.name, str(method.epochs), str(place)]
    if case.refine_probe:
        command.append("--refine-probe")
    if method.start:
        earlier = place.with_name(method.start.replace(" ", "-").replace(":", ""))
        command += ["--start", str(earlier / "5.npz")]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=one_thread)
    if answer.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{answer.stderr[-2000:]}")
    found = json.loads(answer.stdout.splitlines()[-1])
    for mark in found["marks"]:
        mark["rmse"], mark["ssim"] = case.quality(
            np.load(place / f"{mark['epochs']}.npz")["object"]
        )
    return found


def measure(case: Case, methods: Sequence[Method], rounds: int, folder: Path) -> dict[str, Record]:
    """Run all methods in turn, several times."""
    records = {method.label: Record() for method in methods}
    for number in range(rounds):
        for method in methods:
            found = run_one(case, method, folder)
            record = records[method.label]
            if method.start:
                found["marks"] = gone_on(records[method.start].marks[-1], found["marks"])
            end = found["marks"][-1]
            record.seconds.append(end["seconds"])
            record.processor.append(end["processor_seconds"])
            record.memory_mib.append(found["memory_mib"])
            record.marks = found["marks"]
            print(f"{case.name}, round {number + 1}: {method.label}: {end}", flush=True)
    return records


def gone_on(earlier: dict, marks: list[dict]) -> list[dict]:
    """Return what a method measured that went on from another one's image, from there on."""
    clocks = ("seconds", "processor_seconds")
    later = [mark | {name: mark[name] + earlier[name] for name in clocks} for mark in marks]
    return [earlier | {"epochs": 0}, *later]


def print_table(case: Case, methods: Sequence[Method], records: dict[str, Record]) -> None:
    """Print medians over the rounds, and ratios to the first method."""
    table = Table(
        "method", "epochs", "seconds (median; range)", "ratio", "processor s", "peak memory, MiB",
        "phase RMSE (rad)", "phase SSIM", title=case.name,
    )  # fmt: skip
    first = records[methods[0].label].seconds
    for method in methods:
        found = records[method.label]
        ratios = [mine / theirs for mine, theirs in zip(found.seconds, first, strict=True)]
        end = found.marks[-1]
        table.add_row(
            method.label,
            str(method.epochs),
            f"{statistics.median(found.seconds):.2f} "
            f"({min(found.seconds):.2f} to {max(found.seconds):.2f})",
            f"{statistics.median(ratios):.1f}",
            f"{statistics.median(found.processor):.2f}",
            f"{statistics.median(found.memory_mib):.0f}",
            f"{end['rmse']:.4f}",
            f"{end['ssim']:.4f}",
        )
    CONSOLE.print(table)


def print_time_to_quality(records: dict[str, Record]) -> None:
    """Print how soon each method is as good as LSQML in the end, as a share of LSQML's time."""
    peer = next((record for label, record in records.items() if "lsqml" in label), None)
    if peer is None:
        return
    wanted = peer.marks[-1]["rmse"]
    theirs = statistics.median(peer.seconds)
    print(f"phase RMSE {wanted:.4f} rad, which LSQML reaches in {theirs:.2f} s:")
    for label, record in records.items():
        there = [mark["seconds"] for mark in record.marks if mark["rmse"] <= wanted]
        told = f"{there[0]:.2f} s, {there[0] / theirs:.3f} of it" if there else "not reached"
        print(f"  {label}: {told}")


def curves(records: dict[str, Record]) -> list[Curve]:
    """Return phase RMSE over seconds; the sweeps of our pie become one curve."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for label, record in records.items():
        name = "ours: pie, 5 to 20 sweeps" if label.startswith("ours: pie") else label
        points = [(mark["seconds"], mark["rmse"]) for mark in record.marks]
        lines.setdefault(name, []).extend(points)
    return [Curve(name, points, dashed="pty-chi" in name) for name, points in lines.items()]


def real_case(scan: Path, reference: Path, folder: Path, *, guessed: bool) -> Case:
    """Return the real scan, with the probe of the reference or with its own guess."""
    data = DataConfig(probe=None if guessed else str(reference))
    place = folder / f"real-{'guessed' if guessed else 'known'}.npz"
    read = read_scan(scan, data)
    write_scan_npz(place, read)
    name = "real scan, guessed probe" if guessed else "real scan, known probe"
    # Judged on the half that the published figures of this project are taken from.
    region = "y:250:400,x:90:390"
    return Case(name, place, read_reference(reference), well_lit(read), region, guessed)


def simulated_case(folder: Path) -> Case:
    """Return random lines with their truth."""
    settings = SimulationConfig(object="lines", n=64, patterns=600, photons=1e6, seed=3)
    scan = simulate(settings)
    place = folder / "lines.npz"
    write_scan_npz(place, scan)
    return Case("simulated lines", place, scan.truth, well_lit(scan), "all")


def well_lit(scan: Scan) -> np.ndarray:
    """Return 1 where the light exceeds a tenth of its maximum."""
    light = illumination(normalise(scan, PhysicsConfig()).scan, resolve_device("cpu"))
    return (light > LIT * light.max()).astype(np.float64)


def has_peers() -> bool:
    """Tell whether pty-chi imports, and say so if not."""
    try:
        load_ptychi()
    except ConfigError as error:
        print(f"without pty-chi: {error}")
        return False
    return True


def main() -> None:
    """Run all tables and draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--real", type=Path, default=SHARED / "aps_siemens_star.npz")
    parser.add_argument("--reference", type=Path, default=SHARED / "aps_siemens_star_reference.npz")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/peers"))
    options = parser.parse_args()
    folder = options.output
    folder.mkdir(parents=True, exist_ok=True)
    peers = has_peers()
    print(describe_machine(), "; one thread each", sep="", flush=True)
    cases = [(simulated_case(folder), known_probe(peers, options.epochs))]
    if options.real.exists() and options.reference.exists():
        files = (options.real, options.reference, folder)
        cases.append((real_case(*files, guessed=False), known_probe(peers, options.epochs)))
        cases.append((real_case(*files, guessed=True), guessed_probe(peers, options.epochs)))
    else:
        print(f"without the real scan: {options.real} is not there")
    panels = []
    for case, methods in cases:
        records = measure(case, methods, options.rounds, folder)
        print_table(case, methods, records)
        print_time_to_quality(records)
        panels.append((case.name, curves(records)))
        told = {name: vars(record) for name, record in records.items()}
        (folder / f"{case.name}.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    print(draw_quality_over_seconds(panels, folder / "quality_over_seconds.png"))


if __name__ == "__main__":
    main()
