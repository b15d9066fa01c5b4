"""What is written in the formats of other programs is read back, whatever the scan knows."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ptychopinn.errors import DataError
from ptychopinn.io import read_scan, recognise, write_scan
from ptychopinn.io.refusal import container
from ptychopinn.scan import Scan, canvas_covering
from tests.io.files import complex_noise
from tests.io.peers import MARKED, assert_same_scan, the_scan

NAMES = {
    "a_product.h5": "Ptychodus",
    "diffraction.h5": "Ptychodus",
    "a_dp.hdf5": "dp/para pair",
    "a_para.hdf5": "dp/para pair",
    "a_product.npz": "Ptychodus",
    "diffraction.npz": "Ptychodus",
    "a_training.h5": "Ptychodus training data",
    "a.nxs": "NXcxi_ptycho",
    "a.tike.npz": "tike NPZ",
    "a.ptylab.h5": "PtyLab",
}


@st.composite
def scans(draw) -> Scan:
    """Scans of every parity, with what may be unknown known or not."""
    n, count = draw(st.integers(7, 10)), draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    positions = n // 2 + rng.uniform(0, 9, (count, 2))
    covering = np.array(canvas_covering(positions, n))
    canvas = tuple(int(size) for size in covering + draw(st.integers(0, 5)))
    dtype = draw(st.sampled_from(["uint16", "int32", "float32", "float64"]))
    mask = rng.uniform(size=(n, n)) > draw(st.sampled_from([0.0, 0.2]))
    pixel = draw(st.floats(1e-12, 1e-5))
    wavelength = min(max(1e-12, pixel * draw(st.floats(1e-4, 2))), 2e-6)
    return Scan(
        patterns=np.where(mask, rng.poisson(9, (count, n, n)), 0).astype(dtype),
        positions_px=positions,
        probe=complex_noise(draw(st.integers(1, 3)), n, n),
        mask=mask,
        canvas_shape=canvas,
        truth=complex_noise(*canvas) if draw(st.booleans()) else None,
        pixel_size_m=pixel if draw(st.booleans()) else None,
        wavelength_m=wavelength if draw(st.booleans()) else None,
        name="fuzzed",
    )


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scan=scans())
def test_round_trip(tmp_path_factory, name, scan):
    path = tmp_path_factory.mktemp("written") / name
    assert write_scan(path, scan) == NAMES[name]
    assert recognise(path) == NAMES[name]
    found = read_scan(path.parent, MARKED)
    keeps_lengths = NAMES[name] != "tike NPZ"
    assert_same_scan(found, scan, lengths=False)
    assert (found.truth is None) == (scan.truth is None)
    for key in ("pixel_size_m", "wavelength_m") if keeps_lengths else ():
        wanted = getattr(scan, key)
        assert getattr(found, key) == (None if wanted is None else pytest.approx(wanted))


@pytest.mark.parametrize("name", NAMES)
def test_amplitudes_are_squared(tmp_path, name):
    scan = the_scan()
    amplitudes = replace(scan, patterns=np.sqrt(scan.counts()), domain="amplitude")
    write_scan(tmp_path / name, amplitudes)
    found = read_scan(tmp_path / name, MARKED)
    assert found.domain == "counts"
    np.testing.assert_allclose(found.counts(), scan.counts(), rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_faults_in_bad_pixels_are_not_written(tmp_path, name):
    scan = the_scan()
    patterns = scan.patterns[:].astype(np.float32)
    patterns[:, ~scan.mask] = np.nan
    write_scan(tmp_path / name, replace(scan, patterns=patterns))
    found = read_scan(tmp_path / name, MARKED)
    assert np.isfinite(found.patterns[:]).all()
    assert_same_scan(found, scan, lengths=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_truth_of_another_size_leaves_nothing(tmp_path, name):
    scan = replace(the_scan(), truth=complex_noise(5, 6))
    with pytest.raises(DataError, match=r"truth: found shape \(5, 6\), wanted"):
        write_scan(tmp_path / name, scan)
    assert list(tmp_path.iterdir()) == []


def test_names_of_both_halves(tmp_path):
    for name, format_name in (("x_product.h5", None), ("y.h5", "Ptychodus"), ("z_para.hdf5", None)):
        write_scan(tmp_path / name, the_scan(), format_name)
    write_scan(tmp_path / "v_product.npz", the_scan())
    write_scan(tmp_path / "w.npz", the_scan(), "Ptychodus")
    assert {item.name for item in tmp_path.iterdir()} == {
        *("v_diffraction.npz", "v_product.npz", "w_diffraction.npz", "w_product.npz"),
        *("x_diffraction.h5", "x_product.h5", "y_diffraction.h5", "y_product.h5"),
        *("z_dp.hdf5", "z_para.hdf5"),
    }
    assert read_scan(tmp_path / "y_product.h5").n_patterns == the_scan().n_patterns
    for name in ("v_diffraction.npz", "w_product.npz"):
        assert container(tmp_path / name) == "npz"
        assert_same_scan(read_scan(tmp_path / name, MARKED), the_scan())


def test_the_detector_that_is_written_gives_the_pixels(tmp_path):
    """dx = wavelength * z / (N * p), as every reader of the files computes it."""
    scan = the_scan()
    write_scan(tmp_path / "product.h5", scan)
    with h5py.File(tmp_path / "product.h5") as product:
        distance = product.attrs["detector_object_distance_m"]
        energy_ev = product.attrs["photon_energy_eV"]
    with h5py.File(tmp_path / "diffraction.h5") as patterns:
        pixel = patterns["patterns"].attrs["detector_pixel_width_m"]
    wavelength = 12398.419843320026e-10 / energy_ev
    assert wavelength * distance / (scan.n * pixel) == pytest.approx(scan.pixel_size_m)


def test_patterns_are_written_in_pieces_and_stay_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("ptychopinn.scan.BLOCK_BYTES", 1000)
    scan = the_scan()
    for name in NAMES:
        write_scan(tmp_path / name, scan)
        found = read_scan(tmp_path / name, MARKED)
        assert not isinstance(found.patterns, np.ndarray)
        part = found.select(np.array([7, 0, 7]))
        np.testing.assert_array_equal(part.counts(), scan.counts([7, 0, 7]))


def test_our_files_beside_each_other_are_several_scans(tmp_path):
    write_scan(tmp_path / "a_product.h5", the_scan())
    write_scan(tmp_path / "b_dp.hdf5", the_scan())
    with pytest.raises(DataError, match=r"a folder with 2 scans \(a_diffraction.h5, b_dp.hdf5\)"):
        read_scan(Path(tmp_path))


@pytest.mark.parametrize("name", ["product.h5", "a_dp.hdf5", "a.tike.npz", "a.ptylab.h5"])
def test_the_measurement_of_the_siemens_star_survives(tmp_path, real_scan_files, name):
    scan = read_scan(real_scan_files[0], MARKED)
    write_scan(tmp_path / name, scan)
    found = read_scan(tmp_path / name, MARKED)
    assert found.canvas_shape == scan.canvas_shape
    np.testing.assert_allclose(found.positions_px, scan.positions_px, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found.probe, scan.probe)
    for place in (slice(0, 3), slice(300, 303), slice(513, None)):
        np.testing.assert_array_equal(found.counts(place), scan.counts(place))
