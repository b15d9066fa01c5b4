import h5py
import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.io import read_scan, recognise
from ptychopinn.io.stored_patterns import StoredPatterns
from tests.io import hdf5_files
from tests.io.files import one_sentence
from tests.io.hdf5_files import (
    COUNTS,
    DETECTOR_PIXEL_M,
    PIXEL_M,
    POSITIONS_M,
    POSITIONS_PX,
    WAVELENGTH_M,
    K,
    N,
    dectris,
    hdf5,
    unknown,
)

KINDS = {
    "dectris": ("facility HDF5", None),
    "nxptycho": ("NXptycho", None),
    "max_iv": ("facility HDF5", "distance=2m pixel=75um"),
    "hxn": ("facility HDF5", None),
}
WHOLE = "patterns=run/frames positions=run/both order=xy energy=run/keV distance=2m pixel=75um"


def same_scan(scan, positions_px=POSITIONS_PX):
    moved = scan.positions_px - positions_px
    np.testing.assert_allclose(np.ptp(moved, axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scan.counts(), COUNTS, rtol=1e-6)
    assert scan.pixel_size_m == pytest.approx(PIXEL_M, rel=1e-9)
    assert scan.wavelength_m == pytest.approx(WAVELENGTH_M, rel=1e-9)
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_layouts_of_facilities_give_the_same_scan(tmp_path, kind):
    path = getattr(hdf5_files, kind)(tmp_path)
    name, said = KINDS[kind]
    assert recognise(path) == name
    scan = read_scan(path, DataConfig(map=said))
    assert same_scan(scan)
    assert isinstance(scan.patterns, StoredPatterns)
    assert scan.domain == ("amplitude" if kind == "hxn" else "counts")
    assert any("estimated from the mean pattern" in said for said in scan.decisions)


def test_what_was_converted_is_said(tmp_path):
    said = " ".join(read_scan(hdf5_files.nxptycho(tmp_path)).decisions)
    for words in ("8 keV is 8000 eV", "2000 mm is 2 m", "75 um is 7.5e-05 m", "read as um"):
        assert words in said


def test_a_folder_with_a_master_and_its_parts_is_one_scan(tmp_path):
    dectris(tmp_path)
    assert recognise(tmp_path) == "facility HDF5"
    assert same_scan(read_scan(tmp_path))


def test_a_part_that_is_missing_is_named(tmp_path):
    path = dectris(tmp_path)
    (tmp_path / "scan_data_000002.h5").unlink()
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, "entry/data/data_000002", "scan_data_000002.h5")


def test_frames_are_cut_to_a_square_about_the_beam(tmp_path):
    large = np.zeros((K, 40, 50), np.uint16)
    large[:, 10:26, 22:38] = COUNTS
    center = {f"entry/instrument/detector/beam_center_{a}": c for a, c in (("y", 18), ("x", 30))}
    mask = np.zeros((40, 50), np.uint32)
    mask[12, 25] = 1
    path = dectris(tmp_path, large, **center, **{"entry/instrument/detector/pixel_mask": mask})
    whole = read_scan(path)
    assert whole.n == 36
    scan = read_scan(path, DataConfig(crop=N))
    assert np.argwhere(~scan.mask).tolist() == [[2, 3]]
    np.testing.assert_array_equal(scan.counts()[:, scan.mask], COUNTS[:, scan.mask])
    assert scan.pixel_size_m == pytest.approx(PIXEL_M, rel=1e-9)
    np.testing.assert_allclose(np.ptp(scan.positions_px - POSITIONS_PX, axis=0), 0, atol=1e-6)
    moved = read_scan(path, DataConfig(crop=8, center="14,26"))
    np.testing.assert_array_equal(moved.patterns[:], COUNTS[:, :8, :8])
    for settings, words in (
        (DataConfig(crop=38), "ask for at most --crop 36"),
        (DataConfig(center="100,2"), "a pixel of 40 x 50"),
    ):
        with pytest.raises(DataError) as error:
            read_scan(path, settings)
        assert one_sentence(str(error.value), path, words)


def test_any_file_is_read_by_a_map(tmp_path):
    path = unknown(tmp_path)
    assert same_scan(read_scan(path, DataConfig(map=WHOLE)))
    scan = read_scan(path, DataConfig(map=f"{WHOLE} mask=run/bad"))
    np.testing.assert_array_equal(~scan.mask, np.eye(N, dtype=bool))


def test_a_raster_has_a_vector_for_each_axis(tmp_path):
    said = "patterns=run/frames y=run/slow x=run/fast energy=8keV distance=2m pixel=75um"
    scan = read_scan(unknown(tmp_path), DataConfig(map=said))
    y, x = np.meshgrid(np.arange(4) * 2e-7, np.arange(6) * 3e-7, indexing="ij")
    wanted = np.stack([y.ravel(), x.ravel()], axis=1) / PIXEL_M
    assert same_scan(scan, wanted)


def test_positions_may_lie_in_another_file_and_carry_numbers(tmp_path):
    path = unknown(tmp_path)
    shuffled = np.random.default_rng(0).permutation(K)[:-2]
    hdf5(tmp_path / "stage.h5", {"p": POSITIONS_PX[shuffled], "n": shuffled})
    said = (
        "patterns=run/frames positions=stage.h5:p position_unit=px indexes=run/number "
        "position_indexes=stage.h5:n"
    )
    scan = read_scan(path, DataConfig(map=said))
    kept = np.sort(shuffled)
    np.testing.assert_allclose(np.ptp(scan.positions_px - POSITIONS_PX[kept], axis=0), 0, atol=1e-9)
    np.testing.assert_array_equal(scan.patterns[:], COUNTS[kept])
    assert "2 patterns without a position are left out." in scan.decisions
    assert scan.pixel_size_m is None


REFUSALS = {
    "unit": ("patterns=run/frames positions=run/both order=xy energy=8eV", "8 eV", "8keV"),
    "micrometres": (
        "patterns=run/frames y=run/slow x=run/fast position_unit=mm energy=8keV distance=2m "
        "pixel=75um",
        "a step of",
        "they look like m (a step of",
    ),
    "no distance": (
        "patterns=run/frames positions=run/both energy=8keV",
        "without distance and pixel",
        "distance=VALUE",
    ),
    "no positions": ("patterns=run/frames", "run/both", "positions=FILE:PLACE"),
    "wrong name": ("patterns=run/frame", "run/frames", "rename"),
    "too few": ("patterns=run/frames positions=run/both indexes=run/slow", "4 numbers", "24"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_maps_that_cannot_be_are_refused(tmp_path, case):
    path = unknown(tmp_path)
    said, *words = REFUSALS[case]
    with pytest.raises(DataError) as error:
        read_scan(path, DataConfig(map=said))
    for part in words:
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("pattern=a", "did you mean 'patterns'?"),
        ("patterns", "no name=value"),
        ("patterns=a order=zy", "one of yx, xy"),
        ("patterns=run/frames positions=run/both energy=8", "with its unit"),
    ],
)
def test_maps_that_are_not_understood_are_refused(tmp_path, said, words):
    with pytest.raises(ConfigError, match=words.replace("?", r"\?")):
        read_scan(unknown(tmp_path), DataConfig(map=said))


def test_positions_in_the_wrong_unit_are_caught(tmp_path):
    y, x = (f"entry/sample/transformations/{axis}" for axis in "yx")
    path = dectris(tmp_path, **{y: POSITIONS_M[:, 0] * 1e9, x: POSITIONS_M[:, 1] * 1e6})
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, "between neighbours", "position_unit=mm")


def test_pixels_read_as_metres_are_caught(tmp_path):
    said = "patterns=run/frames positions=px.h5:p energy=8keV distance=2m pixel=75um"
    hdf5(tmp_path / "px.h5", {"p": POSITIONS_PX})
    with pytest.raises(DataError) as error:
        read_scan(unknown(tmp_path), DataConfig(map=said))
    assert one_sentence(str(error.value), tmp_path / "mine.h5", "px (a step of", "position_unit=")


def test_absurd_numbers_are_answered_with_the_likely_reading(tmp_path):
    detector = "entry/instrument/detector"
    cases = {
        f"{detector}/detector_distance": (2000.0, 2.0),
        f"{detector}/y_pixel_size": (75.0, DETECTOR_PIXEL_M),
        "entry/instrument/beam/incident_wavelength": (0.5, 0.5e-10),
    }
    for number, (key, (value, _)) in enumerate(cases.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = dectris(folder, **{key: value})
        if "wavelength" in key:
            assert read_scan(path).wavelength_m == pytest.approx(0.5e-10)
            continue
        scan_or_error = read_scan(path) if "pixel" not in key else None
        if scan_or_error is not None:
            assert "has no unit and is read as mm" in " ".join(scan_or_error.decisions)
    with h5py.File(dectris(tmp_path), "a") as file:
        file[f"{detector}/detector_distance"][()] = 2000.0
        file[f"{detector}/detector_distance"].attrs["units"] = "m"
    with pytest.raises(DataError) as error:
        read_scan(tmp_path / "scan_master.h5")
    words = ("2000 m", "likely 2000 mm: say --map distance=2000mm")
    assert one_sentence(str(error.value), tmp_path / "scan_master.h5", *words)
    repaired = read_scan(tmp_path / "scan_master.h5", DataConfig(map="distance=2000mm"))
    assert same_scan(repaired, POSITIONS_PX)
