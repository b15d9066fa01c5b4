"""Files that vanish or shrink while they are read, and places that nothing can be written to."""

import os
import subprocess
import sys

import pytest

from ptychopinn.cli import reconstruct as command
from ptychopinn.cli.main import main
from ptychopinn.config import SimulationConfig
from ptychopinn.io import write_scan_npz
from ptychopinn.simulation import simulate
from ptychopinn.training import run as training


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.npz"
    write_scan_npz(path, simulate(SimulationConfig(n=32, patterns=60)))
    return path


def refused(capsys, *arguments) -> str:
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr().err
    assert code == 2, said
    assert "Traceback" not in said
    sentences = [line for line in said.splitlines() if line.startswith("ptychopinn: ")]
    assert len(sentences) == 1, said
    return sentences[0]


def before(monkeypatch, module, name, does):
    """Do something just before a function of a module is called."""
    real = getattr(module, name)

    def changed(*arguments, **options):
        does()
        return real(*arguments, **options)

    monkeypatch.setattr(module, name, changed)


def test_a_file_that_vanishes_before_a_worker_opens_it(scan, tmp_path, monkeypatch, capsys):
    before(monkeypatch, training, "fit", scan.unlink)
    few = ("--max-steps", 2, "--networks", 0, "--num-workers", 1)
    said = refused(capsys, "train", scan, "-o", tmp_path / "o", *few)
    assert said.startswith(f"ptychopinn: {scan}: found something that cannot be read")
    assert "No such file" in said
    assert "an intact NPZ file" in said


@pytest.mark.parametrize("name", ["train", "reconstruct"])
def test_a_file_that_shrinks_while_it_is_read(scan, tmp_path, monkeypatch, capsys, name):
    module, work = (training, "fit") if name == "train" else (command, "checked")
    before(monkeypatch, module, work, lambda: os.truncate(scan, 2000))
    said = refused(capsys, name, scan, "-o", tmp_path / "o")
    assert f"{scan}: found something that cannot be read (the data end early)" in said
    assert "an intact NPZ file" in said
    assert not (tmp_path / "o" / "reconstruction.h5").exists()


READ_ONLY = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER, BIND, REMOUNT, RDONLY, REC, PRIVATE = 1 << 17, 1 << 28, 4096, 32, 1, 16384, 1 << 18
place = sys.argv[1].encode()
if libc.unshare(NEWNS) and libc.unshare(NEWNS | NEWUSER):
    sys.exit(77)
steps = (
    (b"none", b"/", REC | PRIVATE),
    (place, place, BIND),
    (place, place, REMOUNT | BIND | RDONLY),
)
for source, target, flags in steps:
    if libc.mount(source, target, None, flags, None):
        sys.exit(77)
from ptychopinn.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("name", ["train", "reconstruct"])
def test_a_read_only_disk_is_found_before_the_work(scan, tmp_path, name):
    place = tmp_path / "disk"
    place.mkdir()
    arguments = [sys.executable, "-c", READ_ONLY, place, name, scan, "-o", place / "o"]
    answer = subprocess.run(
        list(map(str, arguments)), capture_output=True, text=True, check=False, timeout=120
    )
    if answer.returncode == 77:
        pytest.skip("this system lets nobody mount a folder read-only")
    assert answer.returncode == 2, answer.stderr
    assert "Read-only file system" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "photons in the mean pattern" not in answer.stderr  # no pattern was looked at
    assert list(place.iterdir()) == []
