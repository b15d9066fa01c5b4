"""Training and reconstruction killed at random moments: nothing damaged, and the same in the end.

Usage: python -m benchmarks.kill [--kills 100] [--seed 0]

A training is killed (SIGKILL) again and again and goes on with --resume until it ends; then its
weights are held against those of a run that nobody disturbed, bit for bit. After every kill all
files that carry their final names must be whole. Reconstructions are killed likewise: their folder
must be whole or not there.
"""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch
import yaml
from PIL import Image

from ptychopinn.bundle import load_bundle
from ptychopinn.config import SimulationConfig
from ptychopinn.io import read_product, write_scan_npz
from ptychopinn.simulation import simulate

_TRAIN = ("--max-steps", "40", "--epoch-steps", "4", "--threads", "1")
_SECONDS_TO_START = 2.0


def run(*arguments: str, kill_after: float | None = None) -> int:
    """Run the command; return its exit code, negative when it was killed."""
    with subprocess.Popen(
        [sys.executable, "-m", "ptychopinn", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            return process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return process.wait()


def require_whole(folder: Path) -> list[str]:
    """Open every file of a run that carries its final name; return their names."""
    seen = []
    for place in sorted(folder.iterdir()) if folder.exists() else []:
        if place.name.startswith(".") or place.suffix == ".partial" or place.is_dir():
            continue
        open_file(place)
        seen.append(place.name)
    return seen


def open_file(place: Path) -> None:
    """Open one file of a run; any failure is a finding."""
    if place.name == "wts.h5.zip":
        load_bundle(place)
    elif place.name == "reconstruction.h5":
        read_product(place)
    elif place.suffix == ".ckpt":
        torch.load(place, map_location="cpu", weights_only=True)
    elif place.suffix == ".png":
        with Image.open(place) as image:
            image.load()
    elif place.suffix == ".json":
        json.loads(place.read_text(encoding="utf-8"))
    elif place.suffix == ".yaml":
        assert yaml.safe_load(place.read_text(encoding="utf-8"))
    elif place.suffix == ".html":
        assert place.read_text(encoding="utf-8").rstrip().endswith("</html>")
    else:
        assert place.read_bytes()


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights that a training left."""
    return dict(load_bundle(folder).generator.state_dict())


def killed_training(scan: str, folder: Path, rng: random.Random, longest: float) -> int:
    """Kill and resume a training until it ends; return how often it was killed."""
    kills = 0
    shutil.rmtree(folder, ignore_errors=True)
    while True:
        resume = ["--resume"] if (folder / "checkpoint.ckpt").exists() else []
        wait = rng.uniform(_SECONDS_TO_START, longest)
        code = run("train", scan, "-o", str(folder), *_TRAIN, *resume, kill_after=wait)
        require_whole(folder)
        if code == 0:
            return kills
        if code != -signal.SIGKILL:
            raise SystemExit(f"training ended with {code} after {kills} kills")
        kills += 1


def killed_reconstruction(scan: str, folder: Path, rng: random.Random, longest: float) -> str:
    """Kill a reconstruction; return what was there then."""
    shutil.rmtree(folder, ignore_errors=True)
    wait = rng.uniform(_SECONDS_TO_START, longest)
    run("reconstruct", scan, "-o", str(folder), kill_after=wait)
    found = require_whole(folder)
    if not found:
        return "nothing"
    missing = {"reconstruction.h5", "metrics.json", "config.yaml", "history.csv"} - set(found)
    assert not missing or "reconstruction.h5" not in found, missing
    return "all" if "report.html" in found else "part of what is whole"


def main() -> None:
    """Kill until there were enough, and print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="of trainings, and as many again")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        scan = str(folder / "scan.npz")
        write_scan_npz(scan, simulate(SimulationConfig(n=32, patterns=60, step_px=3.0)))
        started = time.monotonic()
        assert run("train", scan, "-o", str(folder / "whole"), *_TRAIN) == 0
        training = time.monotonic() - started
        started = time.monotonic()
        assert run("reconstruct", scan, "-o", str(folder / "image")) == 0
        reconstruction = time.monotonic() - started
        expected = weights(folder / "whole")
        kills, runs = 0, 0
        while kills < options.kills:
            kills += killed_training(scan, folder / "broken", rng, 1.1 * training)
            found = weights(folder / "broken")
            same = all(torch.equal(found[name], value) for name, value in expected.items())
            assert same, f"other weights after {kills} kills"
            runs += 1
            print(f"{kills} kills, {runs} trainings ended with the same weights", flush=True)
        left = Counter(
            killed_reconstruction(scan, folder / "killed", rng, 1.1 * reconstruction)
            for _ in range(options.kills)
        )
        print(json.dumps({"kills": kills, "trainings": runs, "reconstructions": left}))


if __name__ == "__main__":
    main()
