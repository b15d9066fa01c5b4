"""NXcxi_ptycho: CXI with units, the energy of the beam, and a raster on four axes."""

import h5py
import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import DataError
from ptychopinn.io import read_scan, recognise, write_scan
from ptychopinn.io.stored_patterns import StoredPatterns
from tests.io.files import one_sentence
from tests.io.hdf5_files import (
    COUNTS,
    DETECTOR_PIXEL_M,
    DISTANCE_M,
    ENERGY_EV,
    PIXEL_M,
    POSITIONS_M,
    POSITIONS_PX,
    WAVELENGTH_M,
    K,
    N,
    hdf5,
)
from tests.io.peers import MARKED, assert_same_scan, the_scan

INSTRUMENT = "entry_1/instrument_1"
DETECTOR = f"{INSTRUMENT}/detector_1"
TRANSLATION = "entry_1/sample_1/geometry_1/translation"
BEAM = f"{INSTRUMENT}/beam_1/incident_beam_energy"


def nxcxi(folder, items=None, units=None):
    """A raster of 4 x 6 on four axes; the translation is of the sample, in um; None removes.

    The detector says in which directions its rows and columns run: +y and +x.
    """
    x, y = -POSITIONS_M[:, ::-1].T * 1e6
    made = {
        "cxi_version": 160,
        "entry_1/title": "raster",
        "entry_1/definition": "NXptycho",
        f"{INSTRUMENT}/source_1/energy": 3.0,
        BEAM: ENERGY_EV / 1000,
        f"{DETECTOR}/data": COUNTS.reshape(4, 6, N, N),
        f"{DETECTOR}/distance": DISTANCE_M * 1000,
        f"{DETECTOR}/x_pixel_size": DETECTOR_PIXEL_M * 1e6,
        f"{DETECTOR}/y_pixel_size": DETECTOR_PIXEL_M * 1e6,
        f"{DETECTOR}/basis_vectors": [[0, DETECTOR_PIXEL_M, 0], [DETECTOR_PIXEL_M, 0, 0]],
        TRANSLATION: np.stack([x, y, 0 * x], axis=1),
        **(items or {}),
    }
    said = {
        f"{INSTRUMENT}/source_1/energy": "GeV",
        BEAM: "keV",
        f"{DETECTOR}/distance": "mm",
        f"{DETECTOR}/x_pixel_size": "um",
        f"{DETECTOR}/y_pixel_size": "um",
        TRANSLATION: "um",
        **(units or {}),
    }
    made = {key: value for key, value in made.items() if value is not None}
    path = hdf5(folder / "raster.nxs", made, {k: u for k, u in said.items() if u and k in made})
    with h5py.File(path, "a") as file:
        file["entry_1/data_1/data"] = h5py.SoftLink(f"/{DETECTOR}/data")
        place = next((key for key in made if key.endswith("translation")), TRANSLATION)
        file[f"{DETECTOR}/translation"] = h5py.SoftLink(f"/{place}")
    return path


def same(scan):
    np.testing.assert_array_equal(scan.counts(), COUNTS)
    np.testing.assert_allclose(np.ptp(scan.positions_px - POSITIONS_PX, axis=0), 0, atol=1e-6)
    assert scan.pixel_size_m == pytest.approx(PIXEL_M, rel=1e-9)
    assert scan.wavelength_m == pytest.approx(WAVELENGTH_M, rel=1e-9)
    return True


def test_a_raster_on_four_axes_with_units(tmp_path):
    path = nxcxi(tmp_path)
    assert recognise(path) == "NXcxi_ptycho"
    scan = read_scan(path, MARKED)
    assert same(scan)
    assert scan.patterns.shape == (K, N, N)
    assert isinstance(scan.patterns, StoredPatterns)
    said = " ".join(scan.decisions)
    for words in ("8 keV is 8000 eV", "2000 mm is 2 m", "translation: read as um"):
        assert words in said


@pytest.mark.parametrize(
    ("value", "unit"), [(8.0, "keV"), (8000.0, "eV"), (8000.0, None), (8.0, None)]
)
@pytest.mark.parametrize("name", ["incident_beam_energy", "energy"])
def test_the_energy_is_of_the_beam_in_its_unit(tmp_path, value, unit, name):
    """The ring has 3 GeV; where the beam names no unit, only one reading can be."""
    place = f"{INSTRUMENT}/beam_1/{name}"
    items, units = {BEAM: None, place: value}, {place: unit}
    scan = read_scan(nxcxi(tmp_path, items, units), MARKED)
    assert same(scan)


def test_without_a_beam_the_ring_is_no_photon_energy(tmp_path):
    path = nxcxi(tmp_path, {BEAM: None})
    with pytest.raises(DataError) as error:
        read_scan(path, MARKED)
    assert one_sentence(str(error.value), path, "source_1/energy", "3e+09 eV", "--map energy=")
    assert same(read_scan(path, DataConfig(map="energy=8keV", bad_pixels="file")))


def test_translations_lie_under_geometry_without_a_number(tmp_path):
    """As the writers of speckle tracking have it."""
    kept = -POSITIONS_M[:, ::-1] * 1e6
    place = "entry_1/sample_1/geometry/translation"
    items = {TRANSLATION: None, place: np.pad(kept, ((0, 0), (0, 1)))}
    path = nxcxi(tmp_path, items, {place: "um"})
    assert recognise(path) == "NXcxi_ptycho"
    assert same(read_scan(path, MARKED))


def test_translations_of_a_raster_have_three_axes(tmp_path):
    flat = np.pad(-POSITIONS_M[:, ::-1] * 1e6, ((0, 0), (0, 1)))
    assert same(read_scan(nxcxi(tmp_path, {TRANSLATION: flat.reshape(4, 6, 3)}), MARKED))


def test_a_unit_that_is_no_length_is_refused(tmp_path):
    path = nxcxi(tmp_path, units={TRANSLATION: "deg"})
    with pytest.raises(DataError) as error:
        read_scan(path, MARKED)
    assert one_sentence(str(error.value), path, "the unit 'deg'", "--map position_unit=um")
    assert same(read_scan(path, DataConfig(map="position_unit=um", bad_pixels="file")))


def test_what_is_written_is_nexus_and_cxi(tmp_path):
    scan = the_scan()
    path = tmp_path / "a.nxs"
    assert write_scan(path, scan) == recognise(path) == "NXcxi_ptycho"
    assert_same_scan(read_scan(path, MARKED), scan)
    with h5py.File(path) as file:
        entry = file["entry_1"]
        assert entry["definition"][()] == b"NXptycho"
        energy = entry["instrument_1/beam_1/incident_beam_energy"]
        assert energy.attrs["units"] == "eV"
        assert energy[()] == pytest.approx(9998.7257, rel=1e-6)
        classes = {
            name: entry[name].attrs["NX_class"]
            for name in ("instrument_1", "instrument_1/detector_1", "sample_1/positioner_1", "data")
        }
        assert classes == {
            "instrument_1": "NXinstrument",
            "instrument_1/detector_1": "NXdetector",
            "sample_1/positioner_1": "NXpositioner",
            "data": "NXdata",
        }
        for name in ("distance", "x_pixel_size", "y_pixel_size", "translation"):
            assert entry[f"instrument_1/detector_1/{name}"].attrs["units"] == "m"
        translation = entry["data_1/translation"][()]
        for number, axis in enumerate("xy"):
            motor = entry[f"sample_1/transformations/{axis}"]
            np.testing.assert_array_equal(motor[()], translation[:, number])
            np.testing.assert_array_equal(motor.attrs["vector"], np.eye(3)[number])
            named = entry[f"sample_1/positioner_{number + 1}"]
            assert named["name"][()] == f"sample_{axis}".encode()
            assert named["value"].attrs["units"] == "m"
        assert entry["data/data"].shape == (12, 16, 16)
