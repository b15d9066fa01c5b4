"""The program under torchrun: two processes that share the patterns of a scan."""

import os
import shutil
import signal
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


#: Runs the command after a change that only the second process has: it fails by itself.
CHANGED = """
import os, signal, sys
from ptychopinn.cli.main import main
if os.environ["RANK"] == "1":
    {change}
sys.exit(main(sys.argv[1:]))
"""
FAILS_TWICE = """
    from ptychopinn.cli import reconstruct as command
    from ptychopinn.errors import DataError
    from ptychopinn.processes import Processes
    real, summed, at = command.read_scan, Processes.add_up, []
    def read(path, *rest):
        at.append(path)
        if "b.npz" in path:
            raise DataError("b.npz: only here.")
        return real(path, *rest)
    def add_up(self, values):
        at.append("sum")
        if "a.npz" in at[0] and len(at) == 4:
            raise OSError(5, "Input/output error")
        return summed(self, values)
    command.read_scan, Processes.add_up = read, add_up
"""
DIES_IN_A_SWEEP = """
    from ptychopinn.processes import Processes
    calls, real = [], Processes.add_up
    def add_up(self, values):
        calls.append(1)
        if len(calls) == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, values)
    Processes.add_up = add_up
"""
DIES_IN_TRAINING = """
    from ptychopinn.model import PtychoModule
    calls, real = [], PtychoModule.training_step
    def step(self, *rest):
        calls.append(1)
        if len(calls) == 6:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, *rest)
    PtychoModule.training_step = step
"""


def both_changed(change, *arguments):
    """Run a command in two processes, of which the second is changed."""
    port = free_port()
    command = [sys.executable, "-c", CHANGED.format(change=change), *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, env=environment(i, port), **pipes) for i in (0, 1)]
    return [(*process.communicate(timeout=240), process.returncode) for process in started]


def alone(*arguments):
    command = [sys.executable, "-m", "ptychopinn", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)


REFINED = ("--refine-probe", "true", "--refine-positions", "points", "--refine-sweeps", 5)


@pytest.mark.parametrize(
    ("settings", "most"),
    # Positions that were looked for carry the last bits of sums a little farther.
    [((), 1e-5), (("--canvas", "host"), 1e-5), (REFINED, 1e-4)],
    ids=["plain", "host", "refined"],
)
def test_the_image_is_that_of_one_process(place, settings, most):
    scan = place / "scan.npz"
    first, second = both("reconstruct", scan, "-o", place / "two", *settings)
    assert (first[2], second[2]) == (0, 0), first[1] + second[1]
    assert "90 patterns" in first[0]
    assert second[0] == ""
    alone("reconstruct", scan, "-o", place / "one", *settings)
    one, two = (read_product(place / name / "reconstruction.h5") for name in ("one", "two"))
    apart, largest = np.abs(one.object - two.object), np.abs(one.object).max()
    assert apart.max() < most * largest
    assert np.sqrt(np.mean(apart**2)) < 1e-5 * largest
    assert one.quality == pytest.approx(two.quality, rel=1e-3)
    for name in ("deviance", "predicted", "measured"):
        got, wanted = (getattr(made.pattern_fit, name) for made in (two, one))
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-5 * np.abs(wanted).max())


def test_training_shares_batches_and_ends_with_the_same_weights(place):
    scan = place / "scan.npz"
    arguments = ("train", scan, "--max-steps", 4, "--batch-size", 4, "--networks", 0)
    first, second = both(*arguments, "-o", place / "train-two")
    assert (first[2], second[2]) == (0, 0), first[1] + second[1]
    alone(*arguments, "-o", place / "train-one")
    one, two = (load_bundle(place / name / "wts.h5.zip") for name in ("train-one", "train-two"))
    for name, value in one.generator.state_dict().items():
        np.testing.assert_allclose(two.generator.state_dict()[name], value, rtol=1e-3, atol=1e-5)


def test_training_shares_what_it_refines(place):
    scan = place / "scan.npz"
    arguments = ("train", scan, "--max-steps", 4, "--batch-size", 4, "--learning-rate", 0.01)
    refining = (*REFINED, "--refine-while-training", "true")
    first, second = both(*arguments, *refining, "-o", place / "refined-two")
    assert (first[2], second[2]) == (0, 0), first[1] + second[1]
    alone(*arguments, *refining, "-o", place / "refined-one")
    alone(*arguments, *REFINED, "-o", place / "refined-before")
    one, two, before = (
        load_bundle(place / name) for name in ("refined-one", "refined-two", "refined-before")
    )
    for name in ("probe", "positions_px"):
        learned = np.linalg.norm(getattr(one, name) - getattr(before, name))
        apart = np.linalg.norm(getattr(one, name) - getattr(two, name))
        assert learned > 0
        assert apart < 0.02 * learned


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


def test_a_scan_that_one_process_gives_up_is_given_up_by_all(place, tmp_path):
    scans = [shutil.copy(place / "scan.npz", tmp_path / f"{name}.npz") for name in "abc"]
    quick = ("--stages", 2, "--checks", "false", "--report", "none")
    first, second = both_changed(FAILS_TWICE, "reconstruct", *scans, "-o", tmp_path / "o", *quick)
    assert (first[2], second[2]) == (2, 2), first[1] + second[1]
    assert "Traceback" not in first[1] + second[1]
    assert first[0].count("not done: process 1 of 2 could not go on with this scan") == 2
    assert "1 of 3 scans reconstructed" in first[0]
    assert "not done: [Errno 5] Input/output error" in second[1]
    assert "not done: b.npz: only here." in second[1]
    assert [found.name for found in (tmp_path / "o").iterdir()] == ["c"]
    read_product(tmp_path / "o" / "c" / "reconstruction.h5")


def test_a_process_killed_in_a_sweep_ends_the_other_with_a_sentence(place, tmp_path):
    scans = [shutil.copy(place / "scan.npz", tmp_path / f"{name}.npz") for name in "ab"]
    first, second = both_changed(DIES_IN_A_SWEEP, "reconstruct", *scans, "-o", tmp_path / "o")
    assert second[2] == -signal.SIGKILL
    assert first[2] == 2, first[1]
    assert "another process is gone" in first[1]
    assert "Traceback" not in first[1]


def test_a_process_killed_in_training_leaves_a_checkpoint_that_goes_on(place, tmp_path):
    arguments = ("train", place / "scan.npz", "-o", tmp_path, "--max-steps", 12)
    settings = ("--epoch-steps", 4, "--batch-size", 4, "--networks", 0)
    first, second = both_changed(DIES_IN_TRAINING, *arguments, *settings)
    assert second[2] == -signal.SIGKILL
    assert first[2] == 2, first[1]
    said = " ".join(first[1].split())
    assert "checkpoint.ckpt is kept: go on with the same command and --resume" in said
    assert "Another process is gone" in said
    assert "Traceback" not in said
    first, second = both(*arguments, *settings, "--resume")
    assert (first[2], second[2]) == (0, 0), first[1] + second[1]
    assert load_bundle(tmp_path).statistics["steps"] == 12


def test_a_process_that_never_comes_is_not_waited_for_forever(place, tmp_path):
    answer = subprocess.run(
        [sys.executable, "-m", "ptychopinn", "reconstruct", place / "scan.npz", "-o", tmp_path],
        env={**environment(0, free_port()), "PTYCHOPINN_TIMEOUT": "3"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert answer.returncode == 2, answer.stderr
    assert "do not find each other within 3 s" in answer.stderr
    assert "Traceback" not in answer.stderr


def slurm_environment(rank):
    """What srun sets for one of two tasks on one node."""
    told = {"SLURM_JOB_ID": str(free_port()), "SLURM_STEP_ID": "0", "SLURM_NTASKS": "2"}
    here = {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank), "SLURM_NNODES": "1"}
    return {**os.environ, **told, **here, "OMP_NUM_THREADS": "1"}


def test_srun_alone_starts_processes_that_share_the_work(place, tmp_path):
    job = {"SLURM_JOB_ID": slurm_environment(0)["SLURM_JOB_ID"]}
    command = [sys.executable, "-m", "ptychopinn", "train", place / "scan.npz", "-o", tmp_path]
    settings = ["--max-steps", "4", "--batch-size", "4", "--networks", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [
        subprocess.Popen([*command, *settings], env={**slurm_environment(rank), **job}, **pipes)
        for rank in (0, 1)
    ]
    (out, said, code), (silent, also, other) = [
        (*process.communicate(timeout=240), process.returncode) for process in started
    ]
    assert (code, other) == (0, 0), said + also
    assert "4 steps" in out
    assert silent == ""
