import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

from ptychopinn.errors import OutputError
from ptychopinn.io import count_blocks
from ptychopinn.io.hdf5_writing import written_hdf5
from tests.conftest import make_scan
from tests.io.files import one_sentence
from tests.small_disk import files_on, small_disk


def test_what_was_written_is_read(tmp_path):
    values = np.arange(60000.0).reshape(3, 200, 100)
    with written_hdf5(tmp_path / "a.h5") as file:
        packed = file.create_dataset("x", data=values, chunks=(1, 200, 100), compression="gzip")
        packed[1] = -values[1]
        file.create_group("g").attrs["n"] = 3
        assert np.array_equal(packed[1], -values[1])
    with h5py.File(tmp_path / "a.h5") as file:
        assert np.array_equal(file["x"][0], values[0])
        assert np.array_equal(file["x"][1], -values[1])
        assert file["g"].attrs["n"] == 3
    assert files_on(tmp_path) == ["a.h5"]


SCRIPT = """
import sys
import numpy as np
from ptychopinn.errors import OutputError
from ptychopinn.io.hdf5_writing import written_hdf5
try:
    with written_hdf5(sys.argv[1]) as file:
        noise = np.random.default_rng(0).normal(size=(60, 32, 32))
        packed = file.create_dataset("x", data=noise, chunks=(1, 32, 32), compression="lzf")
        for number in range(20):
            file.create_group(f"g{number}").attrs["a"] = "said " * 100
        assert (packed[50] == noise[50]).all()
except OutputError as error:
    print(error)
    sys.exit(2)
"""


def test_a_disk_that_fills_up_does_not_kill_the_process(tmp_path):
    with small_disk(tmp_path / "disk", 200) as disk:
        command = [sys.executable, "-c", SCRIPT, str(disk / "a.h5")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 2, f"{signal.strsignal(abs(done.returncode))}: {done.stderr}"
        assert one_sentence(done.stdout.strip(), disk / "a.h5", "make room there")
        assert files_on(disk) == []


def test_a_long_writing_ends_soon_after_the_disk_is_full(tmp_path, monkeypatch):
    """Not only at its end: what comes after the failure would have to be kept in memory."""
    read = []

    def one_by_one(scan):
        for number in range(scan.n_patterns):
            read.append(number)
            yield slice(number, number + 1), scan.patterns[number : number + 1]

    monkeypatch.setattr(count_blocks, "count_blocks", one_by_one)
    scan = make_scan(128, side=16, photons=1e6)
    with (
        small_disk(tmp_path / "disk", 60) as disk,
        pytest.raises(OutputError, match="make room there"),
        written_hdf5(disk / "a.h5") as file,
    ):
        count_blocks.write_counts(file, "x", scan)
    # HDF5 itself holds back some MiB, 128 of these patterns at most.
    assert len(read) < 160 < scan.n_patterns
