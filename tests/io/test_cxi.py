from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ptychopinn.config import DataConfig
from ptychopinn.errors import DataError
from ptychopinn.io import read_scan, recognise, write_scan
from ptychopinn.io.geometry import photon_wavelength_m
from ptychopinn.io.stored_patterns import StoredPatterns
from tests.conftest import make_scan
from tests.io.files import one_sentence
from tests.io.hdf5_files import hdf5

DATA = Path(__file__).parent / "data"
DETECTOR = "entry_1/instrument_1/detector_1"
SOURCE = "entry_1/instrument_1/source_1"
MODES = {"cxi": 2, "ptyd": 3}


def gap(n):
    mask = np.ones((n, n), dtype=bool)
    mask[2:4] = False
    return mask


def items(**changes):
    """What a plain CXI file of another program holds; a change to None removes a dataset."""
    rng = np.random.default_rng(2)
    made = {
        "entry_1/data_1/data": rng.poisson(20, (12, 8, 8)).astype(np.int32),
        "entry_1/sample_1/geometry_1/translation": rng.uniform(-1e-6, 1e-6, (12, 3)),
        f"{SOURCE}/energy": 1.0e-16,
        f"{DETECTOR}/distance": 0.1,
        f"{DETECTOR}/x_pixel_size": 30e-6,
    }
    made.update(changes)
    return {key: value for key, value in made.items() if value is not None}


def offsets(found, wanted):
    """How far positions differ beside a common shift."""
    return np.ptp(found - wanted, axis=0)


def test_a_file_of_cdtools_is_read_as_cdtools_reads_it():
    scan = read_scan(DATA / "cdtools.cxi")
    read = np.load(DATA / "cdtools_read.npz")
    assert recognise(DATA / "cdtools.cxi") == "CXI"
    np.testing.assert_allclose(offsets(scan.positions_px, read["positions_px"]), 0, atol=1e-6)
    np.testing.assert_array_equal(scan.patterns, read["counts"])
    np.testing.assert_array_equal(scan.mask, read["mask"])
    assert scan.pixel_size_m == pytest.approx(read["pixel_m"][1], rel=1e-7)
    assert scan.wavelength_m == pytest.approx(float(read["wavelength_m"]), rel=1e-7)
    assert isinstance(scan.patterns, StoredPatterns)
    assert any("high and" in said for said in scan.decisions)  # its pixels are not square


@pytest.mark.parametrize("suffix", MODES)
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("n", [15, 16])
def test_round_trip_gives_the_same_scan(tmp_path, suffix, known, n):
    scan = make_scan(n, modes=MODES[suffix], mask=gap(n))
    scan = replace(scan, patterns=np.where(scan.mask, scan.patterns, 0))
    if known:
        scan = replace(scan, pixel_size_m=1.3e-8, wavelength_m=1.2e-10)
    write_scan(tmp_path / f"a.{suffix}", scan)
    found = read_scan(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(found.patterns, scan.patterns)
    np.testing.assert_allclose(found.positions_px, scan.positions_px, atol=1e-9)
    for name in ("probe", "truth", "mask"):
        np.testing.assert_array_equal(getattr(found, name), getattr(scan, name), err_msg=name)
    assert found.canvas_shape == scan.canvas_shape
    assert (found.pixel_size_m is None) is not known
    if known:
        assert found.pixel_size_m == pytest.approx(1.3e-8, rel=1e-12)
        assert found.wavelength_m == pytest.approx(1.2e-10, rel=1e-12)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    suffix=st.sampled_from(["cxi", "ptyd"]),
    pixel=st.floats(1e-12, 2e-6),
    ratio=st.floats(20, 200),
    move=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
    name=st.text(max_size=30),
)
def test_any_lengths_survive(tmp_path, suffix, pixel, ratio, move, name):
    scan = make_scan(8, side=2, noise=True)
    wavelength = max(pixel / ratio, 2e-12)
    shift = np.ceil(np.abs(move)) + 8
    scan = replace(
        scan,
        positions_px=scan.positions_px + shift,
        canvas_shape=tuple(int(s + d) for s, d in zip(scan.canvas_shape, shift, strict=True)),
        truth=None,
        pixel_size_m=pixel,
        wavelength_m=wavelength,
        name=name,
    )
    write_scan(tmp_path / f"a.{suffix}", scan)
    found = read_scan(tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(found.positions_px, scan.positions_px, atol=1e-6)
    assert found.pixel_size_m == pytest.approx(pixel, rel=1e-9)
    assert found.wavelength_m == pytest.approx(wavelength, rel=1e-9)
    np.testing.assert_array_equal(found.patterns, scan.patterns)


def test_amplitudes_are_written_as_counts(tmp_path):
    scan = make_scan(16)
    roots = replace(scan, patterns=np.sqrt(scan.patterns), domain="amplitude")
    write_scan(tmp_path / "a.cxi", roots)
    found = read_scan(tmp_path / "a.cxi")
    assert found.domain == "counts"
    np.testing.assert_allclose(found.patterns, scan.patterns, rtol=1e-6)


def test_energy_is_joules_and_the_sample_moves_against_the_probe(tmp_path):
    path = hdf5(tmp_path / "a.cxi", items())
    scan = read_scan(path)
    xyz = items()["entry_1/sample_1/geometry_1/translation"]
    energy_ev = 1.0e-16 / 1.602176634e-19
    assert scan.wavelength_m == pytest.approx(photon_wavelength_m(energy_ev), rel=1e-9)
    pixel = scan.wavelength_m * 0.1 / (8 * 30e-6)
    assert scan.pixel_size_m == pytest.approx(pixel, rel=1e-9)
    # rows run to -y and columns to -x, and the probe moved by the negative translation
    np.testing.assert_allclose(offsets(scan.positions_px, xyz[:, [1, 0]] / pixel), 0, atol=1e-9)
    del scan  # its patterns hold the file open
    with h5py.File(path, "a") as file:
        file[f"{DETECTOR}/basis_vectors"] = np.array([[0, 30e-6, 0], [-30e-6, 0, 0]])
    turned = read_scan(path)
    wanted = xyz[:, [1, 0]] * (-1, 1) / pixel
    np.testing.assert_allclose(offsets(turned.positions_px, wanted), 0, atol=1e-9)


def test_ptychodus_writes_positions_of_the_probe(tmp_path):
    path = hdf5(tmp_path / "a.cxi", items(**{"entry_1/ptychodus/probe_pixel_width_m": 1.0}))
    scan = read_scan(path)
    xyz = items()["entry_1/sample_1/geometry_1/translation"]
    np.testing.assert_allclose(
        offsets(scan.positions_px, xyz[:, [1, 0]] / scan.pixel_size_m), 0, atol=1e-9
    )
    assert any("as Ptychodus writes them" in said for said in scan.decisions)


def test_mask_bits_are_bad_but_the_one_for_signal(tmp_path):
    bits = np.zeros((8, 8), np.uint32)
    bits[1, 1], bits[2, 2], bits[3, 3] = 1, 0x1000, 0x1001
    scan = read_scan(hdf5(tmp_path / "a.cxi", items(**{f"{DETECTOR}/mask": bits})))
    assert np.argwhere(~scan.mask).tolist() == [[1, 1], [3, 3]]


def test_negative_counts_of_a_subtracted_dark_are_zero(tmp_path):
    counts = items()["entry_1/data_1/data"] - 15
    scan = read_scan(hdf5(tmp_path / "a.cxi", items(**{"entry_1/data_1/data": counts})))
    assert isinstance(scan.patterns, StoredPatterns)
    np.testing.assert_array_equal(scan.patterns, np.maximum(counts, 0))
    assert any("Negative counts" in said for said in scan.decisions)


REFUSALS = {
    "keV for joules": ({f"{SOURCE}/energy": 8.7}, None),
    "no energy": ({f"{SOURCE}/energy": None}, ("without energy", "energy=VALUE")),
    "no pixel": ({f"{DETECTOR}/x_pixel_size": None}, ("without pixel", "pixel=VALUE")),
    "no translation": (
        {"entry_1/sample_1/geometry_1/translation": None},
        ("translations of the sample", '--map "patterns=entry_1/data_1/data positions=PLACE"'),
    ),
    "too few": (
        {"entry_1/sample_1/geometry_1/translation": np.zeros((5, 3))},
        ("5 positions and 12 patterns",),
    ),
    "flat translation": (
        {"entry_1/sample_1/geometry_1/translation": np.zeros((12, 5))},
        ("(12, 5)", "(n, 2) or (n, 3)"),
    ),
    "basis": ({f"{DETECTOR}/basis_vectors": np.zeros((2, 3))}, ("basis_vectors", "zeros")),
    "mask": ({f"{DETECTOR}/mask": np.zeros((4, 4), np.uint32)}, ("mask", "(4, 4)", "(8, 8)")),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_files_that_leave_out_or_contradict_are_refused(tmp_path, case):
    changes, parts = REFUSALS[case]
    path = hdf5(tmp_path / "a.cxi", items(**changes))
    if parts is None:
        scan = read_scan(path)
        assert scan.wavelength_m == pytest.approx(photon_wavelength_m(8700), rel=1e-9)
        assert any("has no unit and is read as keV" in said for said in scan.decisions)
        return
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, *parts)


def test_what_is_left_out_can_be_said(tmp_path):
    path = hdf5(tmp_path / "a.cxi", items(**{f"{SOURCE}/energy": None}))
    scan = read_scan(path, DataConfig(map="energy=700eV pixel=60um"))
    assert scan.wavelength_m == pytest.approx(photon_wavelength_m(700))
    assert scan.pixel_size_m == pytest.approx(scan.wavelength_m * 0.1 / (8 * 60e-6))
