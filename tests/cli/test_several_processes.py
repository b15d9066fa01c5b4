"""The program under torchrun: two processes that share the patterns of a scan."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from ptychopinn.bundle import load_bundle
from ptychopinn.config import SimulationConfig
from ptychopinn.io import read_product, write_scan_npz
from ptychopinn.simulation import simulate

JOIN_AND_LEAVE = "from ptychopinn.processes import joined\nwith joined(): pass"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    write_scan_npz(folder / "scan.npz", simulate(SimulationConfig(n=32, patterns=90)))
    return folder


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def environment(rank, port):
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    here = {"RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2"}
    return {**os.environ, **where, **here, "OMP_NUM_THREADS": "1"}


def both(*arguments):
    """Run a command in two processes, as torchrun does; return them when they have ended."""
    port = free_port()
    command = [sys.executable, "-m", "ptychopinn", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, env=environment(i, port), **pipes) for i in (0, 1)]
    return [(*process.communicate(timeout=240), process.returncode) for process in started]


def alone(*arguments):
    command = [sys.executable, "-m", "ptychopinn", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)


def test_the_image_is_that_of_one_process(place):
    scan = place / "scan.npz"
    first, second = both("reconstruct", scan, "-o", place / "two")
    assert (first[2], second[2]) == (0, 0), first[1] + second[1]
    assert "90 patterns" in first[0]
    assert second[0] == ""
    alone("reconstruct", scan, "-o", place / "one")
    one, two = (read_product(place / name / "reconstruction.h5") for name in ("one", "two"))
    assert np.abs(one.object - two.object).max() < 1e-5 * np.abs(one.object).max()
    assert one.quality == pytest.approx(two.quality, rel=1e-3)


def test_training_shares_batches_and_ends_with_the_same_weights(place):
    scan = place / "scan.npz"
    arguments = ("train", scan, "--max-steps", 4, "--batch-size", 4, "--networks", 0)
    first, second = both(*arguments, "-o", place / "train-two")
    assert (first[2], second[2]) == (0, 0), first[1] + second[1]
    alone(*arguments, "-o", place / "train-one")
    one, two = (load_bundle(place / name / "wts.h5.zip") for name in ("train-one", "train-two"))
    for name, value in one.generator.state_dict().items():
        np.testing.assert_allclose(two.generator.state_dict()[name], value, rtol=1e-3, atol=1e-5)


def test_a_process_that_is_gone_ends_the_others_with_a_sentence(place):
    port = free_port()
    leaver = subprocess.Popen([sys.executable, "-c", JOIN_AND_LEAVE], env=environment(1, port))
    command = [sys.executable, "-m", "ptychopinn", "reconstruct", place / "scan.npz"]
    left = subprocess.run(
        [*command, "-o", place / "left"],
        env=environment(0, port),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    leaver.wait(timeout=60)
    assert left.returncode == 2
    assert "another process is gone" in left.stderr
    assert "Traceback" not in left.stderr
    assert not (place / "left").exists()


def test_other_commands_are_for_one_process(place):
    answer = subprocess.run(
        [sys.executable, "-m", "ptychopinn", "inspect", place / "scan.npz"],
        env=environment(0, free_port()),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 2
    assert "train and reconstruct share their work" in answer.stderr
