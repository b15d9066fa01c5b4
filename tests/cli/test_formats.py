"""inspect and convert over kinds of files, in this process."""

import numpy as np
import pytest

from ptychopinn.cli.flags import expand
from ptychopinn.io import read_scan
from tests.cli.test_bad_input import Called, refused
from tests.io import hdf5_files
from tests.io.hdf5_files import COUNTS, POSITIONS_PX

WHOLE = ("patterns=run/frames", "positions=run/both", "order=xy", "energy=run/keV", "distance=2m")


@pytest.fixture
def call(capsys):
    return Called(capsys)


def test_inspect_shows_what_is_inside_and_how_it_is_read(tmp_path, call):
    answer = call("inspect", hdf5_files.dectris(tmp_path))
    assert answer.code == 0
    for words in ("scan_data_000002.h5", "recognised: facility HDF5", "258.3 nm", "24 of 16 x 16"):
        assert words in answer.out


def test_inspect_of_no_known_kind_teaches_the_map(tmp_path, call):
    path = hdf5_files.unknown(tmp_path)
    answer = call("inspect", path)
    refused(answer, "run/frames", "--map")
    assert "4 x 6 x 16 x 16 uint16" in answer.out
    assert "position_unit" in answer.out
    answer = call("inspect", path, "--map", *WHOLE, "pixel=75um", "--crop", "8")
    assert answer.code == 0
    assert "24 of 8 x 8 pixels" in answer.out


def test_convert_says_where_several_scans_become_one(small_scan, tmp_path, call):
    with np.load(small_scan) as file:
        arrays = {key: file[key] for key in file.files}
    arrays["scan_index"] = np.arange(120) // 60
    np.savez(tmp_path / "two.npz", **arrays)
    said = call("convert", tmp_path / "two.npz", tmp_path / "a.cxi").out
    assert "which of several scans a pattern belongs to was left out" in said
    assert "left out" not in call("convert", tmp_path / "two.npz", tmp_path / "b.npz").out
    np.testing.assert_array_equal(read_scan(tmp_path / "b.npz").scan_index, arrays["scan_index"])


def test_convert_takes_any_kind_to_any_other(tmp_path, call):
    path = hdf5_files.unknown(tmp_path)
    first, *others = ("a.cxi", "b.ptyd", "c.npz", "d.tike.npz", "e.ptylab.h5")
    assert call("convert", path, tmp_path / first, "--map", *WHOLE, "pixel=75um").code == 0
    for other in others:
        answer = call("convert", tmp_path / first, tmp_path / other)
        assert answer.code == 0, answer.err
        found = read_scan(tmp_path / other)
        np.testing.assert_array_equal(found.patterns, COUNTS)
        moved = found.positions_px - POSITIONS_PX
        np.testing.assert_allclose(np.ptp(moved, axis=0), 0, atol=1e-6)
        first = other


def test_convert_refuses_an_unknown_format_before_it_reads(tmp_path, call):
    refused(call("convert", tmp_path / "absent.h5", "a.xyz"), "--format", "CXI")
    refused(call("convert", tmp_path / "absent.h5", "a.cxi"), "absent.h5", "nothing there")
    assert not (tmp_path / "a.cxi").exists()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["s.h5", "--map", "a=1", "b=2", "--n", "8"], ["s.h5", "--map", "a=1 b=2", "--n", "8"]),
        (["--map", "a=1 b=2", "out"], ["--map", "a=1 b=2", "out"]),
        (["x=1", "y=2"], ["x=1", "y=2"]),
        (["--map", "a=1", "f.h5", "b=2"], ["--map", "a=1", "f.h5", "b=2"]),
    ],
)
def test_pairs_after_the_map_are_one_argument(given, wanted):
    assert expand(given, {}) == wanted
