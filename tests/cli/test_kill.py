"""A few kills at random moments; `python -m benchmarks.kill` does a hundred."""

import random
import time

import numpy as np
import pytest
import torch
from benchmarks.kill import image, killed_reconstruction, killed_training, run, weights

from ptychopinn.config import SimulationConfig
from ptychopinn.io import write_scan_npz
from ptychopinn.simulation import simulate

TRAIN = (
    *("--max-steps", "16", "--epoch-steps", "2", "--networks", "0"),
    *("--threads", "1", "--report", "none", "--logger", "none"),
)
RECONSTRUCT = ("--threads", "1", "--checks", "false", "--report", "none", "--stages", "3")
OTHER = (*RECONSTRUCT[:-1], "1")


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("kill") / "scan.npz"
    settings = SimulationConfig(n=24, patterns=40, defocus_rad=1.0, step_px=3.0)
    write_scan_npz(path, simulate(settings))
    run("--version")  # the process that all runs are copies of imports everything now
    return str(path)


def seconds(*arguments: str) -> float:
    started = time.monotonic()
    assert run(*arguments) == 0
    return time.monotonic() - started


def test_a_killed_training_ends_with_the_weights_of_an_unbroken_one(scan, tmp_path):
    took = seconds("train", scan, "-o", str(tmp_path / "whole"), *TRAIN)
    rng = random.Random(3)
    kills = 0
    while not kills:  # a run may be faster than the one that was measured
        kills = killed_training(scan, tmp_path / "killed", rng, took, settings=TRAIN, most=3)
    found = weights(tmp_path / "killed")
    for name, value in weights(tmp_path / "whole").items():
        assert torch.equal(found[name], value), name


def test_a_killed_reconstruction_leaves_no_mixture_and_ends_in_the_same_image(scan, tmp_path):
    took = seconds("reconstruct", scan, "-o", str(tmp_path / "whole"), *RECONSTRUCT)
    rng = random.Random(4)
    for _ in range(3):
        assert run("reconstruct", scan, "-o", str(tmp_path / "killed"), *OTHER) == 0
        killed_reconstruction(scan, tmp_path / "killed", rng, took, settings=RECONSTRUCT)
        np.testing.assert_array_equal(image(tmp_path / "killed"), image(tmp_path / "whole"))
