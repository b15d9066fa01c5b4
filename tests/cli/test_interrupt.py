"""Ctrl-C in a training: one sentence, exit code 2, and the same command goes on."""

import signal
import subprocess
import sys
import time

from ptychopinn.bundle import BUNDLE_NAME
from ptychopinn.training import CHECKPOINT_NAME
from tests.cli.conftest import run
from tests.small_disk import files_on

SMALL = ("--width", 4, "--depth", 2, "--stages", 2, "--subsets", 2, "--epoch-steps", 2)


def test_a_training_goes_on_after_ctrl_c(small_scan, tmp_path):
    folder = tmp_path / "run"
    command = ["train", small_scan, "-o", folder, "--logger", "none", *SMALL, "--max-steps"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ptychopinn", *map(str, command), "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (folder / CHECKPOINT_NAME).exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=100)
    assert process.returncode == 2, said
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if line.startswith("ptychopinn: ")]
    assert len(lines) == 1
    assert f"{folder / CHECKPOINT_NAME} is kept" in lines[0]
    assert "go on with the same command and --resume" in lines[0]
    assert "bundle" not in out
    assert files_on(folder) == [CHECKPOINT_NAME]
    answer = run(*command, 3, "--resume")
    assert answer.code == 0, answer.err
    assert (folder / BUNDLE_NAME).exists()
