from dataclasses import replace

import h5py
import numpy as np
import pytest

import ptychopinn
from ptychopinn.config import DataConfig
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.io import (
    ScanFormat,
    contents,
    describe,
    known_formats,
    read_probe,
    read_scan,
    recognise,
    register_format,
    registry,
    write_scan,
)
from tests.conftest import make_scan
from tests.io import hdf5_files
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
    assert known_formats()[0] == "PtychoPINN NPZ"
    assert known_formats()[-1] == "dotted"
    path = tmp_path / "a.dots"
    path.write_text("...")
    assert recognise(path) == "dotted"
    assert read_scan(path) is scan
    assert describe(path) == [("dots", (3,), "text")]
    (tmp_path / "b").write_text("other")
    with pytest.raises(DataError, match=r"PtychoPINN NPZ .* or dotted \(a file of dots\)"):
        recognise(tmp_path / "b")


def scan_files(folder):
    """The same scan in three files of a folder."""
    scan = replace(make_scan(16), pixel_size_m=1.3e-8, wavelength_m=1.2e-10)
    for name in ("a.cxi", "b.ptyd", "c.npz"):
        write_scan(folder / name, scan)
    return scan


def test_a_folder_with_one_scan_stands_for_it(tmp_path):
    scan = make_scan(16)
    write_scan(tmp_path / "a.cxi", scan)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    assert recognise(tmp_path) == "CXI"
    np.testing.assert_array_equal(read_scan(tmp_path).patterns, scan.patterns)


@pytest.mark.parametrize("function", [recognise, read_scan, contents])
def test_a_folder_with_several_scans_asks_which(tmp_path, function):
    scan_files(tmp_path)
    with pytest.raises(DataError) as error:
        function(tmp_path)
    assert one_sentence(str(error.value), tmp_path, "3 scans (a.cxi, b.ptyd, c.npz)", "name one")


def test_a_format_to_write_is_named_or_told_by_the_suffix(tmp_path):
    scan = make_scan(16)
    assert write_scan(tmp_path / "a.CXI", scan) == "CXI"
    assert write_scan(tmp_path / "a.tike.npz", scan) == "tike NPZ"
    assert write_scan(tmp_path / "a.dat", scan, "ptypy") == "ptypy"
    assert recognise(tmp_path / "a.dat") == "ptypy"
    for path, name, words in (
        ("a.h5", None, "no format to write has this suffix"),
        ("a.npz", "CXI", "found the suffix .npz for CXI"),
        ("a_dp.npz", "dp/para", "wanted one of an HDF5 file; let it end with _dp.hdf5"),
        ("a.h5", "tike", "wanted one of an NPZ file; let it end with .tike.npz"),
        ("a.cxi", "cxj", "known: CXI, NXcxi_ptycho, "),
        ("a.cxi", "NPZ", "known: PtychoPINN NPZ, tike NPZ"),
    ):
        with pytest.raises(ConfigError) as error:
            write_scan(tmp_path / path, scan, name)
        assert words in str(error.value)


def test_contents_are_a_tree_with_links_units_and_values(tmp_path):
    path = hdf5_files.dectris(tmp_path)
    (tmp_path / "scan_data_000003.h5").unlink()
    with h5py.File(path, "a") as file:
        file["entry/again"] = h5py.SoftLink("/entry")
        file["entry/hard"] = file["entry"]
    [(place, branches)] = [pair for pair in contents(path) if pair[0] == path]
    assert place == path
    found = {}

    def walk(branches, above=""):
        for branch in branches:
            found[above + branch.name] = branch.text
            walk(branch.members, f"{above}{branch.name}/")

    walk(branches)
    first = found["entry/data/data_000001"]
    assert first.startswith("-> scan_data_000001.h5:entry/data/data 8 x 16 x 16 uint16")
    assert "bitshuffle" in first
    assert found["entry/data/data_000003"].endswith("(nothing there)")
    assert found["entry/sample/transformations/y"] == "24 float64 um"
    assert found["entry/instrument/detector/detector_distance"] == "scalar = 2.0"
    assert found["entry/again"] == "-> /entry"
    assert found["entry/hard"] == "(a group that is above)"


def test_a_file_that_lacks_nothing_but_its_patterns(tmp_path):
    """Its kind is known by the rest: no list of all kinds, but the one array."""
    path = save_npz(tmp_path, scan_arrays(diff3d=None, diff_3d=np.arange(3)))
    with pytest.raises(DataError) as error:
        read_scan(path)
    said = str(error.value)
    assert one_sentence(
        said, path, "diff3d: found only", "wanted an array diff3d", "rename diff_3d"
    )
    assert "CXI" not in said


@pytest.mark.parametrize("key", ["xcoords", "ycoords"])
def test_an_array_with_a_meaning_of_its_own_is_not_meant_for_another(tmp_path, key):
    path = save_npz(tmp_path, scan_arrays(**{key: None}))
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, f"wanted an array {key}", "add it")
    assert "rename" not in str(error.value)


def test_a_probe_file_does_not_ask_for_the_object_to_be_renamed(tmp_path):
    path = save_npz(tmp_path, {"objectGuess": complex_noise(9, 9)})
    with pytest.raises(DataError) as error:
        read_probe(path)
    assert "rename" not in str(error.value)
