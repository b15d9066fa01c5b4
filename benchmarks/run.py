"""Whole-scan reconstruction against the number of patterns, and the speed of every stage.

Usage: python -m benchmarks.run [--sizes 500 2000 5000 20000] [--n 64] [--rounds 3] [--train]

Every size runs in a process of its own, so that its peak memory is its own. Patterns are simulated
once, written to disk as uint16 and read from there as they are needed. Two figures of memory:
what the program needs above what it held after its imports, and the largest resident size that the
system saw, imports included.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe_machine
from ptychopinn.config import SimulationConfig
from ptychopinn.io import write_scan_npz
from ptychopinn.simulation.streamed import StreamedPatterns
from ptychopinn.simulation.synthesis import prepare, scan_of

CONSOLE = Console()


def measure(module: str, *arguments: str) -> dict:
    """Run a benchmark module in a process of its own and read its last line as JSON."""
    command = [sys.executable, "-m", module, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


def make_scan(folder: Path, patterns: int, n: int) -> Path:
    """Simulate a scan at constant density, in bounded memory."""
    path = folder / f"scan{patterns}.npz"
    settings = SimulationConfig(
        n=n, patterns=patterns, step_px=6.0 * n / 64, object="dead_leaves", photons=1e5
    )
    experiment = prepare(settings)
    write_scan_npz(path, scan_of(settings, experiment, StreamedPatterns(experiment)))
    return path


def linear_fit(sizes: list[int], seconds: list[float]) -> tuple[float, float, float]:
    """Return slope (s a pattern), intercept (s) and R^2 of a straight line."""
    slope, intercept = np.polyfit(sizes, seconds, 1)
    residual = np.asarray(seconds) - (slope * np.asarray(sizes) + intercept)
    return float(slope), float(intercept), float(1 - residual.var() / np.var(seconds))


def scaling(paths: dict[int, Path], rounds: int, *options: str) -> None:
    """Print time and memory of the default network against the number of patterns."""
    table = Table(
        *("patterns", "seconds (median)", "patterns/s", "memory beside the data, MiB"),
        *("largest resident size, MiB", "data, MiB", "canvas"),
        title=" ".join(["whole scan", *options]),
    )
    medians = []
    for size, path in paths.items():
        runs = [measure("benchmarks.whole_scan", str(path), *options) for _ in range(rounds)]
        seconds, memory, resident = (
            statistics.median(run[key] for run in runs)
            for key in ("seconds", "memory_mib", "resident_mib")
        )
        medians.append(seconds)
        table.add_row(
            *(str(size), f"{seconds:.2f}", f"{size / seconds:.0f}", f"{memory:.0f}"),
            *(f"{resident:.0f}", f"{runs[0]['data_mib']:.0f}"),
            " x ".join(map(str, runs[0]["canvas"])),
        )
    CONSOLE.print(table)
    if len(paths) > 1:
        slope, intercept, fit = linear_fit(list(paths), medians)
        CONSOLE.print(f"{1e3 * slope:.3f} ms a pattern + {intercept:.2f} s, R^2 = {fit:.4f}")


def stages(path: Path) -> None:
    """Print the speed of every stage on one scan."""
    table = Table("stage", "patterns/s")
    for stage, speed in measure("benchmarks.stages", str(path)).items():
        table.add_row(stage, f"{speed:,.0f}")
    CONSOLE.print(table)


def main() -> None:
    """Run both benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 2000, 5000, 10000, 20000])
    parser.add_argument("--n", type=int, default=64, help="side of a pattern in pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--train", action="store_true", help="time training as well")
    options = parser.parse_args()
    CONSOLE.print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        paths = {size: make_scan(Path(folder), size, options.n) for size in options.sizes}
        scaling(paths, options.rounds)
        if options.train:
            scaling(paths, options.rounds, "--train")
        stages(paths[options.sizes[0]])


if __name__ == "__main__":
    main()
