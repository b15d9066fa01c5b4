import h5py
import numpy as np
import pytest

import ptychopinn
from ptychopinn.config import DataConfig
from ptychopinn.errors import DataError
from ptychopinn.io import (
    ScanFormat,
    describe,
    known_formats,
    read_scan,
    recognise,
    register_format,
    registry,
)
from tests.io.files import K, N, complex_noise, one_sentence, save_npz, scan_arrays


def test_a_scan_is_known_by_its_content_not_its_name(tmp_path):
    path = save_npz(tmp_path, scan_arrays()).rename(tmp_path / "scan.h5")
    assert recognise(path) == "PtychoPINN NPZ"
    assert read_scan(path).n_patterns == K
    assert ptychopinn.read_scan(path).n_patterns == K


def test_overrides_reach_the_reader(tmp_path):
    path = save_npz(tmp_path, scan_arrays())
    assert read_scan(path).domain == "counts"
    assert read_scan(path, DataConfig(domain="amplitude")).domain == "amplitude"


def test_arrays_are_described(tmp_path):
    path = save_npz(tmp_path, scan_arrays(labels=np.array([None])))
    assert describe(path) == [
        ("diff3d", (K, N, N), "uint16"),
        ("xcoords", (K,), "float64"),
        ("ycoords", (K,), "float64"),
        ("probeGuess", (N, N), "complex64"),
        ("labels", (1,), "object"),
    ]


def test_any_npz_and_hdf5_is_described(tmp_path):
    np.savez(tmp_path / "a.npz", object=np.zeros((2, 3)))
    assert describe(tmp_path / "a.npz") == [("object", (2, 3), "float64")]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data"] = np.zeros((4, 5), np.uint8)
        file["scalar"] = 3.0
    found = describe(tmp_path / "a.h5")
    assert found == [("entry/data", (4, 5), "uint8"), ("scalar", (), "float64")]


@pytest.mark.parametrize("function", [recognise, read_scan])
def test_unknown_files_are_refused_with_what_was_looked_for(tmp_path, function):
    np.savez(tmp_path / "a.npz", probe=complex_noise(2, 2), other=np.zeros(3))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number in range(20):
            file[f"part{number:02d}"] = 1
    (tmp_path / "a.txt").write_text("x y z counts")
    for name, words in (
        ("a.npz", "an NPZ file with the keys probe, other"),
        ("a.h5", "an HDF5 file with the datasets part00, part01"),
        ("a.h5", "part11 and 8 more"),
        ("a.txt", "a file that starts with 'x y z counts'"),
    ):
        with pytest.raises(DataError) as error:
            function(tmp_path / name)
        looked_for = "wanted PtychoPINN NPZ (an NPZ file with diff3d or diffraction)"
        assert one_sentence(str(error.value), tmp_path / name, words, looked_for)


def test_nothing_else_is_described(tmp_path):
    (tmp_path / "a.txt").write_text("x y z counts")
    with pytest.raises(DataError) as error:
        describe(tmp_path / "a.txt")
    assert one_sentence(str(error.value), tmp_path / "a.txt", "an NPZ or HDF5 file")


@pytest.mark.parametrize("function", [recognise, read_scan, describe])
def test_damaged_and_missing_files_keep_their_own_message(tmp_path, function):
    path = save_npz(tmp_path, scan_arrays())
    path.write_bytes(path.read_bytes()[:-100])
    cut = tmp_path / "a.h5"
    with h5py.File(cut, "w") as file:
        file["a"] = np.zeros(1000)
    cut.write_bytes(cut.read_bytes()[:3000])
    for place, words in (
        (path, "damage"),
        (cut, "truncated"),
        (tmp_path, "a folder"),
        (tmp_path / "absent", "nothing there"),
    ):
        with pytest.raises(DataError) as error:
            function(place)
        assert one_sentence(str(error.value), place, words)


def test_a_format_joins_by_being_registered(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_FORMATS", dict(registry._FORMATS))
    scan = read_scan(save_npz(tmp_path, scan_arrays()))
    register_format(
        ScanFormat(
            name="dotted",
            sign="a file of dots",
            recognise=lambda path: path.read_bytes().startswith(b"..."),
            read=lambda path, data: scan,  # noqa: ARG005
            describe=lambda path: [("dots", (3,), "text")],  # noqa: ARG005
        )
    )
    assert known_formats() == ["PtychoPINN NPZ", "dotted"]
    path = tmp_path / "a.dots"
    path.write_text("...")
    assert recognise(path) == "dotted"
    assert read_scan(path) is scan
    assert describe(path) == [("dots", (3,), "text")]
    (tmp_path / "b").write_text("other")
    with pytest.raises(DataError, match=r"PtychoPINN NPZ .* or dotted \(a file of dots\)"):
        recognise(tmp_path / "b")
