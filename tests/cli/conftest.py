"""Runs of the real command in a process of its own."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


def run(*arguments: object, cwd: Path | None = None) -> Answer:
    command = [sys.executable, "-m", "ptychopinn", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=400, check=False
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def small_scan(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "scan.npz"
    answer = run(
        *("simulate", "-o", path, "--object", "dead_leaves", "--patterns", 120),
        *("--n", 32, "--step-px", 3, "--photons", 1e6, "--defocus-rad", 2),
    )
    assert answer.code == 0, answer.err
    return path
