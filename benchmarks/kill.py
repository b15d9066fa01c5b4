"""Training and reconstruction killed at random moments: nothing damaged, and the same in the end.

Usage: python -m benchmarks.kill [--kills 100] [--seed 0]

A training is killed (SIGKILL) again and again, at any moment from its first, and goes on with
--resume until it ends; then its weights are held against those of a run that nobody disturbed, bit
for bit. Reconstructions are killed likewise, over the result of other settings, and end with
--resume in the same image. After every kill all files that carry their final names must be whole,
and no picture older than the image beside it.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image

from ptychopinn.bundle import load_bundle
from ptychopinn.cli.main import main as command
from ptychopinn.config import SimulationConfig
from ptychopinn.io import read_product, write_scan_npz
from ptychopinn.simulation import simulate

_TRAIN = ("--max-steps", "40", "--epoch-steps", "4", "--threads", "1")
_RECONSTRUCT = ("--threads", "1")
_OTHER = ("--threads", "1", "--stages", "1", "--checks", "false")
# One process imports everything and is copied for each run: no kill is wasted on imports.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["ptychopinn.cli.main", "ptychopinn.cli.train", "ptychopinn.cli.reconstruct"]
)


def _silently(arguments: tuple[str, ...]) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    sys.exit(command(arguments))


def run(*arguments: str, kill_after: float | None = None) -> int:
    """Run the command; return its exit code, negative when it was killed."""
    process = _CONTEXT.Process(target=_silently, args=(arguments,))
    process.start()
    process.join(kill_after)
    if process.exitcode is None:
        process.kill()
        process.join()
    return int(process.exitcode or 0)


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


def killed_training(
    scan: str,
    folder: Path,
    rng: random.Random,
    longest: float,
    *,
    settings: tuple[str, ...] = _TRAIN,
    most: int = 1000,
) -> int:
    """Kill and resume a training until it ends, or let it end after so many kills; return them."""
    kills = 0
    shutil.rmtree(folder, ignore_errors=True)
    while True:
        resume = ["--resume"] if (folder / "checkpoint.ckpt").exists() else []
        wait = rng.uniform(0, longest) if kills < most else None
        code = run("train", scan, "-o", str(folder), *settings, *resume, kill_after=wait)
        require_whole(folder)
        if code == 0:
            return kills
        if code != -signal.SIGKILL:
            raise SystemExit(f"training ended with {code} after {kills} kills")
        kills += 1


def killed_reconstruction(
    scan: str,
    folder: Path,
    rng: random.Random,
    longest: float,
    *,
    settings: tuple[str, ...] = _RECONSTRUCT,
) -> str:
    """Kill a reconstruction and end it with --resume; return what was there in between."""
    arguments = ("reconstruct", scan, "-o", str(folder), *settings, "--resume")
    run(*arguments, kill_after=rng.uniform(0, longest))
    found = require_whole(folder)
    missing = {"reconstruction.h5", "metrics.json", "config.yaml", "history.csv"} - set(found)
    assert not missing or "reconstruction.h5" not in found, missing
    require_no_older_picture(folder)
    code = run(*arguments)
    assert code == 0, f"reconstruction ended with {code}"
    left = [place.name for place in (*folder.iterdir(), *folder.parent.iterdir())]
    assert not any(name.startswith(".") for name in left), left
    return f"{len(found)} files"


def require_no_older_picture(folder: Path) -> None:
    """Refuse pictures and pages of another image than the one beside them."""
    if not (folder / "reconstruction.h5").exists():
        return
    made = (folder / "reconstruction.h5").stat().st_mtime_ns
    drawn = [*folder.glob("*.png"), *folder.glob("*.html")]
    older = [place.name for place in drawn if place.stat().st_mtime_ns < made]
    assert not older, older


def image(folder: Path) -> np.ndarray:
    """Return the image that a reconstruction left."""
    return read_product(folder / "reconstruction.h5").object


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
        run("--version")  # whose copy every run is has imported everything now
        started = time.monotonic()
        assert run("train", scan, "-o", str(folder / "whole"), *_TRAIN) == 0
        training = time.monotonic() - started
        started = time.monotonic()
        assert run("reconstruct", scan, "-o", str(folder / "image"), *_RECONSTRUCT) == 0
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
        whole = image(folder / "image")
        left: Counter[str] = Counter()
        for _ in range(options.kills):
            run("reconstruct", scan, "-o", str(folder / "killed"), *_OTHER)
            left[killed_reconstruction(scan, folder / "killed", rng, 1.1 * reconstruction)] += 1
            np.testing.assert_array_equal(image(folder / "killed"), whole)
        print(json.dumps({"kills": kills, "trainings": runs, "reconstructions": left}))


if __name__ == "__main__":
    main()
