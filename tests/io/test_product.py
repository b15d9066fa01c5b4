import errno
import os

import h5py
import numpy as np
import pytest

from ptychopinn.errors import DataError, OutputError, ShapeError
from ptychopinn.io import memory, product, read_product, write_product
from ptychopinn.scan import Reconstruction
from tests.io.files import complex_noise, one_sentence

SHAPE = (23, 31)


def some_reconstruction(n=8, modes=1, **changes) -> Reconstruction:
    rng = np.random.default_rng(n)
    low, high = n // 2, np.array(SHAPE) - n + n // 2
    values = {
        "object": complex_noise(*SHAPE),
        "coverage": rng.uniform(0, 1, SHAPE).astype(np.float32),
        "probe": complex_noise(modes, n, n, seed=2),
        "positions_px": rng.uniform(low, high, (7, 2)),
        "losses": np.array([3.0, 2.0, 1.5]),
        "pixel_size_m": 2.5e-8,
        "wavelength_m": 1.24e-10,
        "provenance": {"scan": "folder/star.npz", "settings": {"stages": 10}, "list": [1, None]},
        "quality": {"excess": 1.01, "frc": float("nan")},
    }
    return Reconstruction(**(values | changes))


def assert_same(found: Reconstruction, made: Reconstruction) -> None:
    for name in ("object", "coverage", "probe", "positions_px", "losses"):
        expected = getattr(made, name)
        assert getattr(found, name).dtype == expected.dtype, name
        np.testing.assert_array_equal(getattr(found, name), expected, err_msg=name)
    assert found.pixel_size_m == made.pixel_size_m
    if made.wavelength_m is None:
        assert found.wavelength_m is None
    else:
        assert found.wavelength_m == pytest.approx(made.wavelength_m, rel=1e-14)
    assert found.provenance == made.provenance
    np.testing.assert_equal(found.quality, made.quality)


@pytest.mark.parametrize("n", [8, 9])
@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.parametrize("pixel_size_m", [None, 2.5e-8])
def test_round_trip_is_exact(tmp_path, n, modes, pixel_size_m):
    made = some_reconstruction(n, modes, pixel_size_m=pixel_size_m)
    write_product(tmp_path / "p.h5", made)
    assert_same(read_product(tmp_path / "p.h5"), made)


def test_round_trip_of_what_is_unknown_or_empty(tmp_path):
    made = some_reconstruction(
        wavelength_m=None,
        pixel_size_m=None,
        losses=np.empty(0),
        positions_px=np.empty((0, 2)),
        provenance={},
        quality={},
    )
    write_product(tmp_path / "p.h5", made)
    assert_same(read_product(tmp_path / "p.h5"), made)


def test_standard_deviations_are_kept_with_what_is_not_known(tmp_path):
    path = tmp_path / "p.h5"
    deviation = np.linspace(0, 1, 23 * 31, dtype=np.float32).reshape(SHAPE)
    deviation[:2] = np.nan
    write_product(path, some_reconstruction(amplitude_std=deviation, phase_std=2 * deviation))
    found = read_product(path)
    np.testing.assert_array_equal(found.amplitude_std, deviation)
    np.testing.assert_array_equal(found.phase_std, 2 * deviation)
    with pytest.raises(ShapeError, match="phase_std"):
        write_product(path, some_reconstruction(phase_std=deviation[1:]))
    with h5py.File(path, "a") as file:
        file["phase_std"][5, 5] = -1
    with pytest.raises(DataError) as error:
        read_product(path)
    assert one_sentence(str(error.value), path, "phase_std", "negative values")
    write_product(path, some_reconstruction())
    assert read_product(path).phase_std is None


def test_provenance_beyond_the_size_of_an_attribute(tmp_path):
    made = some_reconstruction(provenance={"log": "x" * 200_000, "count": np.int64(3)})
    write_product(tmp_path / "p.h5", made)
    assert read_product(tmp_path / "p.h5").provenance == {"log": "x" * 200_000, "count": 3}


def test_the_layout_is_that_of_ptychodus(tmp_path):
    made = some_reconstruction(modes=3)
    write_product(tmp_path / "p.h5", made)
    with h5py.File(tmp_path / "p.h5") as file:
        attributes = dict(file.attrs)
        shapes = {key: item.shape for key, item in file.items()}
        types = {key: item.dtype.kind for key, item in file.items()}
        on_object, on_probe = dict(file["object"].attrs), dict(file["probe"].attrs)
        indexes = file["probe_position_indexes"][()]
    assert shapes == {
        "probe": (1, 3, 8, 8),
        "object": (1, *SHAPE),
        "object_layer_spacing_m": (0,),
        "probe_position_indexes": (7,),
        "probe_position_x_m": (7,),
        "probe_position_y_m": (7,),
        "loss_epochs": (3,),
        "loss_values": (3,),
        "coverage": SHAPE,
        "positions_px": (7, 2),
    }
    assert types["probe"] == types["object"] == "c"
    np.testing.assert_array_equal(indexes, np.arange(7))
    assert attributes["name"] == "star"
    assert attributes["photon_energy_eV"] == pytest.approx(12398.419843320026 / 1.24, rel=1e-9)
    assert attributes["probe_photon_count"] == pytest.approx((abs(made.probe) ** 2).sum())
    for key in ("detector_object_distance_m", "exposure_time_s", "mass_attenuation_m2_per_kg"):
        assert attributes[key] == 0
    assert {"comments", "tomography_angle_deg"} <= set(attributes)
    pixel = {"pixel_height_m": 2.5e-8, "pixel_width_m": 2.5e-8}
    assert on_probe == pixel
    assert on_object == pixel | {"center_x_m": 0.0, "center_y_m": 0.0}


def written_positions_m(path):
    with h5py.File(path) as file:
        return file["probe_position_y_m"][()], file["probe_position_x_m"][()]


@pytest.mark.parametrize(
    ("n", "offset"),
    [(8, 0.5), (9, 0.0)],
    ids=["even", "odd"],
)
def test_positions_are_mapped_as_ptychodus_does(tmp_path, n, offset):
    """Its pixel is (p - center) / pixel + (size - 1) / 2, and its position the window's middle."""
    made = some_reconstruction(n, positions_px=np.array([[6.0, 10.25], [12.5, 20.0]]))
    write_product(tmp_path / "p.h5", made)
    y_m, x_m = written_positions_m(tmp_path / "p.h5")
    np.testing.assert_allclose(y_m / 2.5e-8 + 11, np.array([6.0, 12.5]) - offset, atol=1e-9)
    np.testing.assert_allclose(x_m / 2.5e-8 + 15, np.array([10.25, 20.0]) - offset, atol=1e-9)


def test_a_window_lies_on_the_same_pixels_in_both_frames(tmp_path):
    """By hand: N = 8, window first pixel 2 covers 2..9; its middle is 5.5, its centre pixel 6."""
    made = some_reconstruction(8, positions_px=np.array([[6.0, 6.0]]), pixel_size_m=None)
    write_product(tmp_path / "p.h5", made)
    y_m, x_m = written_positions_m(tmp_path / "p.h5")
    assert y_m[0] + (23 - 1) / 2 == 5.5
    assert x_m[0] + (31 - 1) / 2 == 5.5


@pytest.mark.parametrize("n", [8, 9])
def test_metres_are_the_inverse_of_pixels(n):
    geometry = product._Geometry((2e-8, 3e-8), (1e-6, -2e-6), SHAPE, n)
    positions = np.array([[5.0, 7.25], [12.5, 30.0]])
    np.testing.assert_allclose(geometry.to_pixels(geometry.to_metres(positions)), positions)


def foreign_product(path, n=8, *, center=(0.0, 0.0), pixel=(2e-8, 3e-8), changes=None):
    """A product as Ptychodus writes it; changes to None remove a dataset or attribute."""
    positions = {"y": np.array([5.5, 9.0, 12.25]), "x": np.array([7.0, 11.5, 20.0])}  # q
    content = {
        "probe": complex_noise(1, 2, n, n).astype(np.complex128),
        "object": complex_noise(1, *SHAPE).astype(np.complex128),
        "object_layer_spacing_m": np.empty(0),
        "probe_position_indexes": np.array([4, 5, 9]),
        "probe_position_y_m": (positions["y"] - 11) * pixel[0] + center[0],
        "probe_position_x_m": (positions["x"] - 15) * pixel[1] + center[1],
        "loss_epochs": np.arange(2),
        "loss_values": np.array([0.5, 0.25]),
        "@detector_object_distance_m": 2.0,
        "@photon_energy_eV": 10000.0,
        "object@pixel_height_m": pixel[0],
        "object@pixel_width_m": pixel[1],
        "object@center_y_m": center[0],
        "object@center_x_m": center[1],
    }
    content = {k: v for k, v in {**content, **(changes or {})}.items() if v is not None}
    with h5py.File(path, "w") as file:
        for key, value in content.items():
            if "@" not in key:
                file[key] = value
        for key, value in content.items():
            place, _, name = key.partition("@")
            if name and (not place or place in file):
                (file[place] if place else file).attrs[name] = value
    return path


@pytest.mark.parametrize(("n", "offset"), [(8, 0.5), (9, 0.0)])
@pytest.mark.parametrize("center", [(0.0, 0.0), (3.3e-6, -0.2e-6)])
def test_products_of_ptychodus_are_read_about_any_center(tmp_path, n, offset, center):
    found = read_product(foreign_product(tmp_path / "p.h5", n, center=center))
    expected = np.array([[5.5, 7.0], [9.0, 11.5], [12.25, 20.0]]) + offset
    np.testing.assert_allclose(found.positions_px, expected, atol=1e-6)
    np.testing.assert_array_equal(found.object, complex_noise(*SHAPE))
    np.testing.assert_array_equal(found.probe, complex_noise(2, n, n))
    assert found.object.dtype == found.probe.dtype == np.complex64
    np.testing.assert_array_equal(found.losses, [0.5, 0.25])
    assert found.pixel_size_m == 2e-8
    assert found.wavelength_m == pytest.approx(1.2398419843e-10, rel=1e-9)
    assert (found.provenance, found.quality) == ({}, {})


def test_a_missing_coverage_is_made_from_the_windows(tmp_path):
    # Middles 5.5 and 11.5: the windows of N = 8 begin at rows 2 and 8, at column 3.
    changes = {
        "probe": np.ones((1, 1, 8, 8), complex),
        "probe_position_y_m": (np.array([5.5, 11.5]) - 11) * 2e-8,
        "probe_position_x_m": (np.array([6.5, 6.5]) - 15) * 3e-8,
    }
    found = read_product(foreign_product(tmp_path / "p.h5", changes=changes)).coverage
    expected = np.zeros(SHAPE, np.float32)
    expected[2:16, 3:11] = 0.5
    expected[8:10, 3:11] = 1
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32


def test_windows_beyond_the_object_light_what_they_cover(tmp_path):
    probe = complex_noise(8, 8)
    changes = {
        "probe": probe,
        "probe_position_y_m": (np.array([-0.5, 22.5, 1e30]) - 11) * 2e-8,
        "probe_position_x_m": (np.array([-1.5, 31.5, 9.0]) - 15) * 3e-8,
    }
    path = foreign_product(tmp_path / "p.h5", changes=changes)
    with np.errstate(all="raise"):
        found = read_product(path).coverage
    # The windows begin at (-4, -5) and (19, 28).
    expected = np.zeros(SHAPE)
    expected[:4, :3] = (abs(probe) ** 2)[4:, 5:]
    expected[19:, 28:] = (abs(probe) ** 2)[:4, :3]
    np.testing.assert_allclose(found, expected / expected.max(), rtol=1e-6)


def test_older_products_are_read(tmp_path):
    changes = {
        "probe": complex_noise(2, 8, 8),
        "object": complex_noise(*SHAPE),
        "object_layer_spacing_m": None,
        "probe_position_indexes": None,
        "loss_epochs": None,
        "loss_values": None,
        "costs": np.array([9.0, 8.0]),
        "@photon_energy_eV": None,
        "@probe_energy_eV": 8000.0,
        "object@center_y_m": None,
        "object@center_x_m": None,
    }
    found = read_product(foreign_product(tmp_path / "p.h5", changes=changes))
    np.testing.assert_array_equal(found.losses, [9, 8])
    assert found.wavelength_m == pytest.approx(1.5498024804e-10, rel=1e-9)
    assert found.probe.shape == (2, 8, 8)
    np.testing.assert_allclose(found.positions_px[0], [6.0, 7.5])


def test_products_without_losses_or_energy_are_read(tmp_path):
    changes = {"loss_epochs": None, "loss_values": None, "@photon_energy_eV": None}
    found = read_product(foreign_product(tmp_path / "p.h5", changes=changes))
    assert found.losses.shape == (0,)
    assert found.wavelength_m is None


def test_only_the_first_layer_and_coherent_probe_are_used_and_that_is_said(tmp_path, caplog):
    changes = {"object": complex_noise(3, *SHAPE), "probe": complex_noise(2, 4, 8, 8)}
    found = read_product(foreign_product(tmp_path / "p.h5", changes=changes))
    np.testing.assert_array_equal(found.object, complex_noise(3, *SHAPE)[0])
    np.testing.assert_array_equal(found.probe, complex_noise(2, 4, 8, 8)[0])
    assert "of 3 layers" in caplog.text
    assert "of 2 coherent probes" in caplog.text


def test_positions_changed_by_another_program_win(tmp_path, caplog):
    made = some_reconstruction()
    write_product(tmp_path / "p.h5", made)
    with h5py.File(tmp_path / "p.h5", "r+") as file:
        file["probe_position_y_m"][0] += 5 * 2.5e-8
    found = read_product(tmp_path / "p.h5")
    np.testing.assert_allclose(found.positions_px[0], made.positions_px[0] + [5, 0], atol=1e-6)
    assert "contradicts" in caplog.text


REFUSALS = {
    "no object": ({"object": None}, "object", "an array object"),
    "no probe": ({"probe": None}, "probe", "an array probe"),
    "no positions": ({"probe_position_x_m": None}, "probe_position_x_m", "only loss_epochs"),
    "real object": ({"object": np.ones(SHAPE)}, "object", "float64", "complex numbers"),
    "flat object": ({"object": complex_noise(5)}, "object", "(5,)"),
    "empty object": ({"object": complex_noise(1, 0, 4)}, "object", "(1, 0, 4)"),
    "real probe": ({"probe": np.ones((8, 8))}, "probe", "complex numbers"),
    "oblong probe": ({"probe": complex_noise(1, 8, 7)}, "probe", "(1, 8, 7)"),
    "dark probe": ({"probe": np.zeros((8, 8), complex)}, "probe", "no power"),
    "unequal positions": ({"probe_position_x_m": np.zeros(2)}, "2 values beside 3"),
    "2-D positions": ({"probe_position_y_m": np.zeros((3, 1))}, "probe_position_y_m", "(3, 1)"),
    "NaN positions": ({"probe_position_y_m": np.full(3, np.nan)}, "NaN", "finite metres"),
    "no pixel size": ({"object@pixel_width_m": None}, "pixel_width_m", "found nothing"),
    "zero pixel size": ({"object@pixel_width_m": 0.0}, "0.0", "positive metres"),
    "NaN pixel size": ({"object@pixel_height_m": np.nan}, "nan", "positive metres"),
    "text pixel size": ({"object@pixel_height_m": "big"}, "pixel_height_m", "'big'"),
    "text energy": ({"@photon_energy_eV": "high"}, "photon_energy_eV", "'high'"),
    "2-D losses": ({"loss_values": np.zeros((2, 2))}, "loss_values", "(2, 2)"),
    "coverage": ({"coverage": np.zeros((2, 2))}, "coverage", "(2, 2)", "(23, 31)"),
    "JSON": ({"@ptychopinn": "{broken"}, "attribute ptychopinn", "JSON"),
    "other JSON": ({"@ptychopinn": "[1]"}, "attribute ptychopinn"),
    "incomplete JSON": ({"@ptychopinn": '{"quality": {}}'}, "attribute ptychopinn", "provenance"),
    "number for JSON": ({"@ptychopinn": 3}, "attribute ptychopinn"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_no_product_is_refused_in_one_sentence(tmp_path, case):
    changes, *parts = REFUSALS[case]
    path = foreign_product(tmp_path / "p.h5", changes=changes)
    with pytest.raises(DataError) as error:
        read_product(path)
    assert one_sentence(str(error.value), path, *parts)


def test_a_group_in_place_of_a_dataset_is_refused(tmp_path):
    path = foreign_product(tmp_path / "p.h5", changes={"probe": None})
    with h5py.File(path, "r+") as file:
        file.create_group("probe")
    with pytest.raises(DataError) as error:
        read_product(path)
    assert one_sentence(str(error.value), path, "probe", "an array probe")


@pytest.mark.parametrize(
    ("key", "shape", "words"),
    [
        ("object", (2**20, 2**20), "(1048576, 1048576)"),
        ("probe", (2**16, 2**12, 2**12), "8.0 TiB"),
        ("probe_position_x_m", (2**45,), "TiB"),
    ],
)
def test_claims_of_terabytes_are_refused_before_allocation(tmp_path, key, shape, words):
    path = foreign_product(tmp_path / "p.h5")
    kind = np.float64 if "position" in key else np.complex64
    with h5py.File(path, "r+") as file:
        attributes = dict(file[key].attrs)
        del file[key]
        file.create_dataset(key, shape, kind, chunks=(64,) * len(shape)).attrs.update(attributes)
    assert path.stat().st_size < 10**6
    with pytest.raises(DataError) as error:
        read_product(path)
    assert one_sentence(str(error.value), path, key, words)


def test_arrays_beyond_the_memory_are_refused(tmp_path, monkeypatch):
    path = foreign_product(tmp_path / "p.h5")
    monkeypatch.setattr(memory, "available_memory_bytes", lambda: 1000)
    with pytest.raises(DataError) as error:
        read_product(path)
    assert one_sentence(str(error.value), path, "object", "at most 1000 bytes")


def test_other_files_are_refused(tmp_path):
    whole = foreign_product(tmp_path / "p.h5").read_bytes()
    wrong = {
        "text.h5": (b"hello, I am no product", "intact HDF5 file"),
        "cut.h5": (whole[: len(whole) // 2], "truncated"),
        "empty.h5": (b"", "an empty file"),
    }
    for name, (content, words) in wrong.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError) as error:
            read_product(tmp_path / name)
        assert one_sentence(str(error.value), tmp_path / name, words)
    with pytest.raises(DataError) as error:
        read_product(tmp_path / "absent.h5")
    assert one_sentence(str(error.value), tmp_path / "absent.h5", "nothing there")


def test_arrays_that_do_not_belong_together_are_not_written(tmp_path):
    for change in (
        {"object": np.ones(SHAPE)},
        {"coverage": np.ones((2, 2), np.float32)},
        {"probe": complex_noise(8, 8)},
        {"positions_px": np.ones((3, 3))},
    ):
        with pytest.raises(ShapeError):
            write_product(tmp_path / "p.h5", some_reconstruction(**change))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_product(tmp_path, monkeypatch):
    path = tmp_path / "p.h5"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(product, "_write_arrays", fail)
    with pytest.raises(OutputError) as error:
        write_product(path, some_reconstruction())
    assert one_sentence(str(error.value), path, "make room there")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["p.h5"]
