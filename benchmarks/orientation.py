"""A real scan turned, mirrored and stored otherwise: does ``ptychopinn orient`` find the way back?

Usage: python -m benchmarks.orientation [SCAN.npz REFERENCE.npz] [--cases 16]

Patterns and positions are turned against each other, each by any of the eight turns and mirrors,
and every fourth file has its zero frequency in the corner. The probe is the rough guess of the
file, or the refined one of the reference, which stays where it was or turns with the patterns. The
command is run on each file as a user would run it; the flags that it prints are right when they
bring patterns and positions into one frame, and into that of the refined probe.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.machine import describe_machine
from ptychopinn.symmetry import ORIENTATIONS, SCAN_AXES, STORED, Turn

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PROBES = ("guess", "refined, stays", "refined, turns")


@dataclass(frozen=True)
class Case:
    """What was done to a scan."""

    patterns: str
    """Turn of the patterns, a name in `ORIENTATIONS`."""
    positions: str
    """Turn of the positions, a name in `SCAN_AXES`."""
    corner: bool
    """Whether the zero frequency went to the corner."""
    probe: str
    """One of `PROBES`."""

    @property
    def expected(self) -> Turn | None:
        """The turn against the original in which the flags must leave both; None = any."""
        turns = {"refined, stays": STORED, "refined, turns": ORIENTATIONS[self.patterns]}
        return turns.get(self.probe)


def cases(count: int) -> list[Case]:
    """Return cases that run through all turns of patterns and of positions."""
    positions = list(SCAN_AXES)
    made = []
    for number in range(count):
        name = list(ORIENTATIONS)[number % 8]
        axes = positions[(3 * number + number // 8) % 8]
        made.append(Case(name, axes, number % 4 == 3, PROBES[number % 3]))
    return made


def write_case(case: Case, scan: Path, reference: Path, path: Path) -> None:
    """Write the scan with patterns, positions and probe turned."""
    with np.load(scan) as file, np.load(reference) as refined:
        values = {key: file[key] for key in file.files}
        probe = refined["probe"] if case.probe != "guess" else values["probeGuess"]
    turn, axes = ORIENTATIONS[case.patterns], SCAN_AXES[case.positions]
    patterns = turn.of_images(values["diff3d"])
    values["diff3d"] = np.fft.ifftshift(patterns, axes=(1, 2)) if case.corner else patterns.copy()
    positions = np.stack([values["ycoords"], values["xcoords"]], axis=1)
    middle = positions.mean(axis=0)
    turned = axes.of_vectors(positions - middle) + middle
    values["ycoords"], values["xcoords"] = turned[:, 0], turned[:, 1]
    values["probeGuess"] = turn.of_images(probe).copy() if case.probe == PROBES[2] else probe
    np.savez(path, **values)


def orient(path: Path) -> tuple[dict, float]:
    """Run the command; return its answer and the seconds that it took as a whole."""
    started = time.monotonic()
    command = [sys.executable, "-m", "ptychopinn", "orient", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(done.stdout), time.monotonic() - started


def is_right(case: Case, answer: dict) -> bool:
    """Tell whether the winner brings patterns and positions into one frame."""
    best = answer["hypotheses"][0]
    patterns = ORIENTATIONS[best["orientation"]].after(ORIENTATIONS[case.patterns])
    positions = SCAN_AXES[best["scan_axes"]].after(SCAN_AXES[case.positions])
    corner = "--zero-frequency corner" in (answer["flags"] or "")
    fits = case.expected is None or patterns == case.expected
    clear = answer["decision"] == "clear"
    return clear and patterns == positions and fits and corner == case.corner


def rows(count: int, scan: Path, reference: Path) -> Iterator[tuple[Case, dict, float, bool]]:
    """Yield every case with its answer, its seconds, and whether it is right."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "turned.npz"
        for case in cases(count):
            write_case(case, scan, reference, path)
            answer, seconds = orient(path)
            yield case, answer, seconds, is_right(case, answer)


def main() -> int:
    """Print one row a case; 1 when one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=[])
    parser.add_argument("--cases", type=int, default=16)
    parsed = parser.parse_args()
    names = ("aps_siemens_star.npz", "aps_siemens_star_reference.npz")
    scan, reference = map(Path, parsed.files or [SHARED / name for name in names])
    print(describe_machine())
    print("| patterns | positions | zero frequency | probe | flags | margin | s | right |")
    print("|---|---|---|---|---|---|---|---|")
    results = []
    for case, answer, seconds, right in rows(parsed.cases, scan, reference):
        results.append((seconds, right))
        where = "corner" if case.corner else "middle"
        margin = f"{answer['hypotheses'][1]['behind']:.1f} sigma"
        told = (case.patterns, case.positions, where, case.probe, answer["flags"], margin)
        print(f"| {' | '.join(map(str, told))} | {seconds:.1f} | {right} |", flush=True)
    times, correct = zip(*results, strict=True)
    middle, longest = np.median(times), max(times)
    print(f"{sum(correct)} of {len(correct)} right; {middle:.1f} s, at most {longest:.1f} s")
    return 0 if all(correct) else 1


if __name__ == "__main__":
    sys.exit(main())
