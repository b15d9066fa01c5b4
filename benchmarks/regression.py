"""Quality and speed ratios of small simulated scans, held against the committed table.

Usage: python -m benchmarks.regression [--update]

Quality is the phase RMSE against the truth and the half-data figures that need none; speed is the
share of the bound (`benchmarks.bound`), a ratio within one run, so that machines compare. Exit code
1 when a figure is worse than the committed one by more than its tolerance; ``--update`` commits
what was found.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import bound
from benchmarks.machine import describe_machine
from ptychopinn.config import (
    Config,
    GeneratorConfig,
    InferenceConfig,
    PieConfig,
    SimulationConfig,
    TrainingConfig,
    UnrolledConfig,
)
from ptychopinn.evaluation import compare
from ptychopinn.inference import reconstruct
from ptychopinn.io import write_scan_npz
from ptychopinn.scan import Scan
from ptychopinn.simulation import simulate
from ptychopinn.training import train

COMMITTED = Path(__file__).with_name("committed.json")
#: How much worse a figure may be: quality hardly depends on the machine, speed does.
TOLERANCE = {"phase_rmse": 0.02, "share_of_bound": 0.3}
#: Of these, more is better.
MORE_IS_BETTER = ("share_of_bound",)
CONSOLE = Console(width=110)
QUICK = InferenceConfig(checks=False)


def scans() -> dict[str, SimulationConfig]:
    """Return the scans: easy, few photons, two modes."""
    base = SimulationConfig(n=64, patterns=300, object="dead_leaves", photons=1e6)
    return {
        "dead leaves, 1e6 photons": base,
        "lines, 1e4 photons": SimulationConfig(n=64, patterns=300, object="lines", photons=1e4),
        "spokes, two modes": SimulationConfig(n=64, patterns=300, modes=2, photons=1e6),
    }


def methods() -> dict[str, Config]:
    """Return the settings that are followed."""
    pie = GeneratorConfig(name="pie", pie=PieConfig(stages=20))
    plain = GeneratorConfig(unrolled=UnrolledConfig(networks=0))
    return {
        "zero-shot": Config(inference=QUICK),
        "pie, 20 sweeps": Config(generator=pie, inference=QUICK),
        "trained, 20 steps": Config(
            generator=plain, inference=QUICK, training=TrainingConfig(max_steps=20)
        ),
    }


def phase_rmse(scan: Scan, config: Config, *, training: bool) -> float:
    """Return the phase RMSE in rad of one method on one scan, where it is well lit."""
    bundle = None
    if training:
        with tempfile.TemporaryDirectory() as folder:
            bundle = train(scan, config, folder)
    made = reconstruct(scan, bundle, config)
    assert scan.truth is not None
    weight = (made.coverage > 0.1).astype(np.float64)
    return compare(made.object, scan.truth, weight).metrics.phase.rmse


def measure(rounds: int) -> dict[str, float]:
    """Return all figures by name."""
    figures = {}
    for scan_name, settings in scans().items():
        scan = simulate(settings)
        for name, config in methods().items():
            found = phase_rmse(scan, config, training=name.startswith("trained"))
            figures[f"phase_rmse | {scan_name} | {name}"] = round(found, 5)
    with tempfile.TemporaryDirectory() as folder:
        for n, patterns in ((64, 1000), (128, 500)):
            path = Path(folder) / f"{n}.npz"
            write_scan_npz(path, simulate(SimulationConfig(n=n, patterns=patterns)))
            share = bound.measure(str(path), None, rounds)["share"]
            figures[f"share_of_bound | {patterns} patterns of {n} x {n}"] = round(share, 3)
    return figures


def worse_by(name: str, found: float, committed: float) -> float:
    """Return by which share a figure is worse than the committed one; negative = better."""
    change = found / committed - 1
    return -change if name.split(" | ", maxsplit=1)[0] in MORE_IS_BETTER else change


def report(found: dict[str, float], committed: dict[str, float]) -> int:
    """Print both side by side; return the number of figures that are worse than they may be."""
    table = Table("figure", "committed", "found", "worse by")
    failed = 0
    for name, value in found.items():
        known = committed.get(name)
        if known is None:
            table.add_row(name, "-", f"{value:.5g}", "not committed")
            continue
        worse = worse_by(name, value, known)
        bad = worse > TOLERANCE[name.split(" | ")[0]]
        failed += bad
        style = "bold red" if bad else None
        table.add_row(name, f"{known:.5g}", f"{value:.5g}", f"{worse:+.1%}", style=style)
    CONSOLE.print(table)
    return failed


def main() -> None:
    """Measure, compare, and say so by the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="commit what is found")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    CONSOLE.print(describe_machine())
    found = measure(options.rounds)
    known = json.loads(COMMITTED.read_text(encoding="utf-8")) if COMMITTED.exists() else {}
    failed = report(found, known)
    if options.update:
        COMMITTED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    elif failed:
        sys.exit(f"{failed} figures are worse than {COMMITTED.name} allows.")


if __name__ == "__main__":
    main()
