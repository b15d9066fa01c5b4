"""One method on one scan, in a process of its own: seconds, peak memory, the images on the way.

Usage: python -m benchmarks.peer SCAN.npz METHOD EPOCHS FOLDER [--refine-probe] [--start IMAGE.npz]

Methods: `unrolled` (weights in the box) and `pie`, our generators; lsqml, rpie and autodiff, of
pty-chi, from a flat object unless a start is given. Image and probe go to FOLDER as EPOCHS.npz
while the clocks stand still.
"""

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.whole_scan import MemoryWatch
from ptychopinn.bundle import load_pretrained
from ptychopinn.config import (
    Config,
    GeneratorConfig,
    InferenceConfig,
    IterativeConfig,
    PhysicsConfig,
    PieConfig,
    RefinementConfig,
)
from ptychopinn.data import normalise
from ptychopinn.inference import reconstruct
from ptychopinn.io import read_scan
from ptychopinn.iterative import ENGINES, Epoch, Start, solve

OURS = ("unrolled", "pie")
#: Epochs after which an image is kept.
KEPT = (1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 30, 40, 60)


@dataclass
class Clocks:
    """Wall clock and processor time, both of which can stand still."""

    wall: float
    processor: float

    @classmethod
    def started(cls) -> "Clocks":
        """Start both."""
        return cls(time.perf_counter(), time.process_time())

    def read(self) -> dict[str, float]:
        """Return the seconds since the start."""
        return {
            "seconds": time.perf_counter() - self.wall,
            "processor_seconds": time.process_time() - self.processor,
        }

    def leave_out(self, before: dict[str, float]) -> None:
        """Set both back to an earlier reading."""
        now = self.read()
        self.wall += now["seconds"] - before["seconds"]
        self.processor += now["processor_seconds"] - before["processor_seconds"]


Found = tuple[np.ndarray, np.ndarray, list[dict]]


def run_ours(options: argparse.Namespace, clocks: Clocks) -> Found:
    """Reconstruct with a generator of ours."""
    sections = {"inference": InferenceConfig(checks=False)}
    if options.refine_probe:
        sections["refinement"] = RefinementConfig(refine_probe=True)
    if options.method == "pie":
        sections["generator"] = GeneratorConfig(name="pie", pie=PieConfig(stages=options.epochs))
    scan = read_scan(options.scan)
    made = reconstruct(scan, None, Config(**sections))
    return made.object, made.probe, [{"epochs": options.epochs, **clocks.read()}]


def run_theirs(options: argparse.Namespace, clocks: Clocks) -> Found:
    """Run an engine of pty-chi."""
    scan = normalise(read_scan(options.scan), PhysicsConfig()).scan
    flat = np.ones(scan.canvas_shape, dtype=np.complex64)
    first = flat
    if options.start:
        with np.load(options.start) as earlier:
            first = np.where(earlier["object"] == 0, flat, earlier["object"])
            scan = replace(scan, probe=earlier["probe"])
    marks: list[dict] = []

    def keep(epoch: Epoch, image) -> None:
        now = clocks.read()
        if epoch.number in KEPT:
            np.savez(options.folder / f"{epoch.number}.npz", object=image())
            marks.append({"epochs": epoch.number, **now})
        clocks.leave_out(now)

    settings = IterativeConfig(
        engine=options.method, epochs=options.epochs, refine_probe=options.refine_probe
    )
    found = solve(Start(scan, first), settings, keep)
    end = {"epochs": options.epochs, **clocks.read()}
    marks = [*(mark for mark in marks if mark["epochs"] < options.epochs), end]
    return found.object, found.probe, marks


def main() -> None:
    """Run the method and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scan")
    parser.add_argument("method")
    parser.add_argument("epochs", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--refine-probe", action="store_true")
    parser.add_argument("--start")
    options = parser.parse_args()
    torch.fft.fft2(torch.ones(8, 8, dtype=torch.complex64))
    if options.method in OURS:
        load_pretrained(GeneratorConfig())
    else:
        ENGINES[options.method].prepare()
    options.folder.mkdir(parents=True, exist_ok=True)
    watch = MemoryWatch()
    watch.start()
    clocks = Clocks.started()
    work = run_ours if options.method in OURS else run_theirs
    image, probe, marks = work(options, clocks)
    memory = watch.peak_mib - watch.start_mib
    np.savez(options.folder / f"{options.epochs}.npz", object=image, probe=probe)
    print(json.dumps({"memory_mib": memory, "marks": marks}))


if __name__ == "__main__":
    main()
