"""Files that keep the HDF5 library forever are given up in a process of their own."""

import os
import resource
import time

import h5py
import numpy as np
import pytest

from ptychopinn.errors import DataError
from ptychopinn.io import hdf5_trial, read_scan
from ptychopinn.io.hdf5_trial import require_harmless
from tests.hostile.make_files import heap_loop, text_of_gigabytes
from tests.io.files import one_sentence


@pytest.fixture
def good(tmp_path):
    with h5py.File(tmp_path / "good.h5", "w") as file:
        file.attrs["comments"] = "a text of any length"
        file["names"] = ["one", "two"]
        file["a/frames"] = np.ones((4, 8, 8), np.uint16)
        file["a/again"] = file["a"]
    return tmp_path / "good.h5"


def test_a_heap_that_goes_in_circles_is_refused(tmp_path):
    heap_loop(tmp_path / "loop.h5")
    with pytest.raises(DataError) as error:
        read_scan(tmp_path / "loop.h5")
    assert one_sentence(str(error.value), tmp_path / "loop.h5", "within 3 s", "copy")


def test_a_text_that_claims_gigabytes_is_refused_without_them(tmp_path):
    text_of_gigabytes(tmp_path / "text.h5")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match=r"within 3 s and 512\.0 MiB"):
        read_scan(tmp_path / "text.h5")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**19


def test_a_good_file_is_tried_once(good, monkeypatch):
    forks, real = [], os.fork
    monkeypatch.setattr(hdf5_trial.os, "fork", lambda: (forks.append(1), real())[1])
    for _ in range(3):
        require_harmless(good)
    assert len(forks) == 1
    os.utime(good, (1, 1))
    require_harmless(good)
    assert len(forks) == 2


def test_damage_is_left_to_who_reads_the_file(good):
    good.write_bytes(good.read_bytes()[:500])
    require_harmless(good)


def test_texts_that_fill_the_memory_are_refused(good, monkeypatch):
    monkeypatch.setattr(hdf5_trial, "_read_texts", lambda _: np.ones(2**30, np.uint8).sum())
    with pytest.raises(DataError, match=r"512\.0 MiB"):
        require_harmless(good)


def test_a_trial_that_stands_still_is_given_up(good, monkeypatch):
    monkeypatch.setattr(hdf5_trial, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(hdf5_trial, "_read_texts", lambda _: time.sleep(60))
    started = time.monotonic()
    require_harmless(good)
    assert time.monotonic() - started < 20


def test_without_memory_for_a_copy_the_file_is_read_without(good, monkeypatch):
    def full():
        raise BlockingIOError

    monkeypatch.setattr(hdf5_trial.os, "fork", full)
    require_harmless(good)
