"""Files made to do harm: one sentence, exit code 2, nothing written, little time and memory."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ptychopinn.cli.main import main
from ptychopinn.io import write_scan_npz
from tests.conftest import make_scan
from tests.hostile.make_files import FILES

SECONDS = 20
MEMORY_KIB = 512 * 1024
CANARIES = (Path("/tmp/ptychopinn-was-here"), Path("/tmp/was-here"))


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("good") / "scan.npz"
    write_scan_npz(path, make_scan())
    return path


@contextlib.contextmanager
def within_bounds():
    """Fail when the block takes too long or too much memory."""

    def late(*_):
        raise AssertionError(f"took more than {SECONDS} s")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_KIB


def refused(arguments, place, capsys) -> str:
    """Run a command that must refuse with one sentence and write nothing; return the sentence."""
    before = sorted(place.iterdir())
    with within_bounds():
        code = main([str(argument) for argument in arguments])
    said = " ".join(capsys.readouterr().err.split())
    assert code == 2, said
    assert said.startswith("ptychopinn: ")
    assert "Traceback" not in said
    assert len(said) < 1200, said
    assert sorted(place.iterdir()) == before
    assert not any(canary.exists() for canary in CANARIES)
    return said


def arguments_for(hostile: Path, good: Path, place: Path) -> list[object]:
    """Hand a file to the command that would open it."""
    flag = {".npy": "--mask", ".zip": "--bundle", ".yaml": "--config"}.get(hostile.suffix)
    if flag is None:
        return ["reconstruct", hostile, "-o", place / "out"]
    return ["reconstruct", good, flag, hostile, "-o", place / "out"]


def test_the_folder_is_there():
    assert len(list(FILES.iterdir())) > 20


@pytest.mark.parametrize("hostile", sorted(FILES.iterdir()), ids=lambda path: path.name)
def test_each_is_refused_in_one_sentence(hostile, good, tmp_path, capsys):
    said = refused(arguments_for(hostile, good, tmp_path), tmp_path, capsys)
    assert hostile.stem.split(".")[0] in said


@pytest.mark.parametrize("name", ["terabyte.npz", "terabyte.h5", "bomb.npz", "pickle.npz"])
def test_looking_inside_is_safe_too(name, tmp_path, capsys):
    refused(["inspect", FILES / name], tmp_path, capsys)


def test_what_is_no_file_is_refused(good, tmp_path, capsys):
    place = tmp_path / "place"
    place.mkdir()
    loop, folder, pipe = (tmp_path / name for name in ("loop.npz", "folder.npz", "pipe.npz"))
    loop.symlink_to(loop)
    folder.mkdir()
    os.mkfifo(pipe)
    for path in (loop, folder, pipe):
        refused(["reconstruct", path, "-o", place / "out"], place, capsys)
        refused(["reconstruct", good, "--bundle", path, "-o", place / "out"], place, capsys)
        refused(["reconstruct", good, "--config", path, "-o", place / "out"], place, capsys)
        refused(["reconstruct", good, "--probe", path, "-o", place / "out"], place, capsys)


def test_memory_is_not_taken_on_the_word_of_a_header():
    """The same under a limit that the system holds: no room for a hundredth of the claim."""
    code = (
        "import resource, sys, torch; from ptychopinn.cli.main import main\n"
        "held = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (held + 2**31, held + 2**31))\n"
        f"sys.exit(main(['inspect', {str(FILES / 'terabyte.npz')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
