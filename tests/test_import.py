import subprocess
import sys

import pytest

import ptychopinn

CHECK = """
import sys, time
import torch
before = time.perf_counter()
import ptychopinn
ptychopinn.Scan, ptychopinn.Config
seconds = time.perf_counter() - before
heavy = [name for name in ("lightning", "matplotlib", "h5py") if name in sys.modules]
print(seconds, heavy)
"""


def test_import_is_light():
    answer = subprocess.run(
        [sys.executable, "-c", CHECK], capture_output=True, text=True, check=True
    )
    seconds, heavy = answer.stdout.split(" ", 1)
    assert heavy.strip() == "[]"
    assert float(seconds) < 1.0


def test_unknown_public_name():
    with pytest.raises(AttributeError, match="reconstrct"):
        _ = ptychopinn.reconstrct


def test_reconstruction_needs_no_lightning():
    # Lightning takes longer to import than a reconstruction takes.
    check = "import sys, ptychopinn.cli.reconstruct; print('lightning' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
