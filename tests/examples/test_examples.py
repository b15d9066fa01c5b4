"""Every example runs as it is documented, on a small scan."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from ptychopinn.bundle import load_bundle
from ptychopinn.io import read_product, write_scan_npz
from tests.conftest import make_scan

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def scan_file(tmp_path_factory):
    place = tmp_path_factory.mktemp("scan") / "scan.npz"
    write_scan_npz(place, make_scan(32))
    return place


@pytest.fixture
def run_here(monkeypatch, capsys, tmp_path):
    """Run an example in this process, which has imported what it needs."""

    def run_it(name: str, *arguments: object) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run_it


def run(name: str, *arguments: object, folder: Path) -> str:
    """Run an example as a user does; needed where it leaves something behind in the process."""
    result = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_first_image(scan_file, tmp_path, run_here):
    said = run_here("first_image.py", scan_file)
    assert "diff3d is read as counts" in said
    result = read_product(tmp_path / "out" / "first-image" / "reconstruction.h5")
    assert result.object.shape == make_scan(32).canvas_shape
    assert (tmp_path / "out" / "first-image" / "phase.png").exists()


def test_own_arrays(scan_file, tmp_path, run_here):
    run_here("own_arrays.py", scan_file)
    result = read_product(tmp_path / "out" / "own-arrays.h5")
    assert len(result.positions_px) == make_scan(32).n_patterns


def test_train_and_keep(scan_file, tmp_path, run_here):
    said = run_here("train_and_keep.py", scan_file, "--steps", 3)
    assert said.startswith("3 steps")
    assert load_bundle(tmp_path / "out" / "trained").statistics["steps"] == 3


def test_trust_result(scan_file, run_here):
    said = run_here("trust_result.py", scan_file)
    assert "1 is photon noise" in said
    assert "phase is known to 0." in said
    assert "verdict:" in said


def test_own_generator(scan_file, tmp_path):
    said = run("own_generator.py", scan_file, "--steps", 4, folder=tmp_path)
    assert "object of" in said


def test_dose_sweep(run_here):
    few = ("--photons", 1e3, 1e6, "--patterns", 100, "--n", 32)
    rows = run_here("dose_sweep.py", *few).splitlines()[1:]
    errors = [float(row.split()[1]) for row in rows]
    assert len(errors) == 2
    assert errors[0] > 2 * errors[1]


def slurm_job(place: Path, **told: str) -> dict[str, str]:
    """Stand in for Slurm on this machine, as a job of one node with two GPUs sees it."""
    for name, does in {"srun": 'exec "$@"', "scontrol": "echo 127.0.0.1; echo node2"}.items():
        (place / name).write_text(f"#!/bin/bash\n{does}\n")
        (place / name).chmod(0o755)
    job = {"SLURM_JOB_ID": str(os.getpid()), "SLURM_JOB_NODELIST": "node[1-2]"}
    paths = f"{place}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    gpus = {"SLURM_GPUS_ON_NODE": "2", "SLURM_JOB_NUM_NODES": "1"}
    return {**os.environ, **job, **gpus, **told, "PATH": paths}


def slurm(*arguments: object, env: dict[str, str]) -> str:
    command = ["bash", EXAMPLES / "slurm.sh", *map(str, arguments)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_slurm_script_trains_and_reconstructs_in_two_processes(scan_file, tmp_path):
    job = slurm_job(tmp_path)
    few = ("--max-steps", 4, "--networks", 0, "--report", "none")
    slurm(scan_file, tmp_path / "run", *few, env=job)
    assert load_bundle(tmp_path / "run" / "train").statistics["steps"] == 4
    made = tmp_path / "run" / "image" / "reconstruction.h5"
    assert read_product(made).object.shape == make_scan(32).canvas_shape
    before = made.stat().st_mtime_ns
    assert "holds the whole result" in slurm(scan_file, tmp_path / "run", *few, env=job)
    assert made.stat().st_mtime_ns == before


def test_the_slurm_script_takes_several_nodes(tmp_path):
    (tmp_path / "torchrun").write_text('#!/bin/bash\necho "$@"\n')
    (tmp_path / "torchrun").chmod(0o755)
    said = slurm("scan.npz", tmp_path, env=slurm_job(tmp_path, SLURM_JOB_NUM_NODES="3"))
    train, reconstruct = said.splitlines()
    assert "--nnodes 3 --nproc-per-node 2" in train
    assert "--rdzv-endpoint 127.0.0.1:" in train
    assert "--batch-size 12" in train
    assert "reconstruct scan.npz" in reconstruct


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_examples_are_short(script):
    assert len(script.read_text().splitlines()) <= 50
