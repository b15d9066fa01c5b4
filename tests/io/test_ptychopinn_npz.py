from dataclasses import replace

import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import DataError, OutputError
from ptychopinn.io import atomic, pattern_array, read_scan_npz, write_scan_npz
from ptychopinn.io.stored_patterns import StoredPatterns
from ptychopinn.scan import Scan, canvas_covering
from tests.io.files import K, N, complex_noise, one_sentence, save_npz, scan_arrays


def read(folder, *, compressed=False, data=None, **changes):
    path = save_npz(folder, scan_arrays(**changes), compressed=compressed)
    return read_scan_npz(path, data or DataConfig())


def said(scan: Scan) -> str:
    return " | ".join(scan.decisions)


# What is read


def test_arrays_become_a_scan(tmp_path):
    arrays = scan_arrays()
    scan = read_scan_npz(save_npz(tmp_path, arrays))
    np.testing.assert_array_equal(scan.patterns, arrays["diff3d"])
    np.testing.assert_array_equal(scan.positions_px[:, 0], arrays["ycoords"])
    np.testing.assert_array_equal(scan.positions_px[:, 1], arrays["xcoords"])
    np.testing.assert_array_equal(scan.probe, arrays["probeGuess"][None])
    assert scan.mask.all()
    assert scan.canvas_shape == canvas_covering(scan.positions_px, N)
    assert scan.truth is None
    assert (scan.pixel_size_m, scan.wavelength_m) == (None, None)
    assert scan.name == str(tmp_path / "scan.npz")
    assert scan.positions_px.dtype == np.float64
    assert scan.probe.dtype == np.complex64


@pytest.mark.parametrize("order", ["kyx", "yxk"])
def test_stored_patterns_stay_on_disk(tmp_path, order):
    patterns = scan_arrays()["diff3d"]
    if order == "yxk":
        patterns = np.ascontiguousarray(patterns.transpose(1, 2, 0))
    scan = read(tmp_path, diff3d=patterns)
    assert isinstance(scan.patterns, StoredPatterns if order == "kyx" else np.memmap)
    assert scan.patterns.shape == (K, N, N)
    (tmp_path / "other").mkdir()
    packed = read(tmp_path / "other", compressed=True, diff3d=patterns)
    assert not isinstance(packed.patterns, np.memmap | StoredPatterns)
    np.testing.assert_array_equal(packed.patterns, scan.patterns)


def test_float64_stays_as_it_is(tmp_path):
    scan = read(tmp_path, diff3d=scan_arrays()["diff3d"].astype(np.float64))
    assert scan.patterns.dtype == np.float64


# Order of the axes


@pytest.mark.parametrize("key", ["diff3d", "diffraction"])
@pytest.mark.parametrize("order", ["kyx", "yxk"])
def test_the_axis_that_counts_positions_counts_patterns(tmp_path, key, order):
    patterns = scan_arrays()["diff3d"]
    stored = patterns if order == "kyx" else patterns.transpose(1, 2, 0)
    scan = read(tmp_path, **{"diff3d": None, key: stored})
    np.testing.assert_array_equal(scan.patterns, patterns)
    assert ("(y, x, pattern)" in said(scan)) == (order == "yxk")


@pytest.mark.parametrize(("key", "order"), [("diff3d", "kyx"), ("diffraction", "yxk")])
def test_a_cube_is_read_as_is_usual_for_its_key_and_that_is_said(tmp_path, key, order):
    arrays = scan_arrays(k=N)
    cube = arrays.pop("diff3d")
    path = save_npz(tmp_path, arrays | {key: cube})
    axes = {"kyx": (0, 1, 2), "yxk": (2, 0, 1)}
    scan = read_scan_npz(path)
    np.testing.assert_array_equal(scan.patterns, cube.transpose(axes[order]))
    other = "yxk" if order == "kyx" else "kyx"
    assert f"override with --axis-order {other}" in said(scan)
    forced = read_scan_npz(path, DataConfig(axis_order=other))
    np.testing.assert_array_equal(forced.patterns, cube.transpose(axes[other]))
    assert "because --axis-order says so" in said(forced)


# Counts or amplitude


@pytest.mark.parametrize(
    ("change", "domain", "why"),
    [
        (lambda p: p, "counts", "its type is uint16"),
        (lambda p: p.astype(np.int32), "counts", "its type is int32"),
        (lambda p: p > 20, "counts", "its type is bool"),
        (lambda p: p.astype(np.float32), "counts", "sampled patterns are whole numbers"),
        (np.sqrt, "amplitude", "not whole numbers"),
        (lambda p: np.sqrt(p).astype(np.float16), "amplitude", "not whole numbers"),
    ],
)
def test_domain_is_decided_and_said(tmp_path, change, domain, why):
    patterns = change(scan_arrays()["diff3d"])
    scan = read(tmp_path, diff3d=patterns)
    assert scan.domain == domain
    assert why in said(scan)
    other = "amplitude" if domain == "counts" else "counts"
    assert f"override with --domain {other}" in said(scan)
    forced = read(tmp_path, diff3d=patterns, data=DataConfig(domain=other))
    assert forced.domain == other
    assert f"read as {other} because --domain says so" in said(forced)


def test_the_sample_is_spread_over_lit_patterns_and_good_pixels(tmp_path):
    patterns = np.zeros((200, N, N), np.float32)
    patterns[-1] = 0.5  # the only lit pattern, and no whole number
    positions = scan_arrays(k=200)
    changes = {key: positions[key] for key in ("xcoords", "ycoords")}
    assert read(tmp_path, diff3d=patterns, **changes).domain == "amplitude"
    patterns[-1] = 3
    patterns[:, 2, 3] = 0.5
    bad = np.zeros((N, N), bool)
    bad[2, 3] = True
    scan = read(tmp_path, diff3d=patterns, bad_pixels=bad, **changes)
    assert scan.domain == "counts"


# Probe


@pytest.mark.parametrize(
    ("stored", "modes"),
    [
        (complex_noise(N, N), 1),
        (complex_noise(3, N, N), 3),
        (complex_noise(N, N, 1), 1),
        (complex_noise(N, N, N), N),
        (complex_noise(N, N).astype(np.complex128), 1),
        (complex_noise(2, 3, N, N), 3),
    ],
)
def test_probes_become_modes_first(tmp_path, stored, modes):
    probe = read(tmp_path, probeGuess=stored).probe
    assert probe.shape == (modes, N, N)
    assert probe.dtype == np.complex64
    assert probe.flags.writeable
    flat = stored[0] if stored.ndim == 4 else stored
    np.testing.assert_array_equal(probe.ravel(), flat.ravel().astype(np.complex64))


def test_more_modes_than_make_sense_are_refused(tmp_path):
    with pytest.raises(DataError) as error:
        read(tmp_path, probeGuess=complex_noise(N + 1, N, N))
    path = tmp_path / "scan.npz"
    assert one_sentence(str(error.value), path, "probeGuess", f"{N + 1} incoherent modes", "1 to 8")


def test_a_real_probe_is_made_complex_and_that_is_said(tmp_path):
    scan = read(tmp_path, probeGuess=np.ones((N, N), np.float32))
    np.testing.assert_array_equal(scan.probe, np.ones((1, N, N)))
    assert "probeGuess is real" in said(scan)


def test_another_probe_replaces_that_of_the_scan(tmp_path):
    other = tmp_path / "other.npz"
    np.savez(other, probe=complex_noise(2, N, N, seed=5))
    for guess in (complex_noise(N, N), complex_noise(3, 3), None):
        scan = read(tmp_path, probeGuess=guess, data=DataConfig(probe=str(other)))
        np.testing.assert_array_equal(scan.probe, complex_noise(2, N, N, seed=5))
        assert f"comes from {other}" in said(scan)


# Mask


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_bad_pixels_are_inverted_into_the_mask(tmp_path, dtype):
    bad = np.zeros((N, N), dtype)
    bad[1, 2:5] = 1
    scan = read(tmp_path, bad_pixels=bad)
    np.testing.assert_array_equal(scan.mask, bad == 0)
    assert scan.mask.dtype == bool


@pytest.mark.parametrize("value", [np.nan, np.inf, -3])
@pytest.mark.parametrize("order", ["kyx", "yxk"])
@pytest.mark.parametrize("chunk", [1, 2**20])
def test_faults_are_tolerated_in_bad_pixels_only(tmp_path, monkeypatch, value, order, chunk):
    monkeypatch.setattr(pattern_array, "CHUNK_BYTES", chunk)
    patterns = scan_arrays()["diff3d"].astype(np.float32)
    patterns[3:5, 1, 2] = value
    patterns[4, 5, 6] = value
    stored = patterns if order == "kyx" else patterns.transpose(1, 2, 0)
    bad = np.zeros((N, N), bool)
    bad[1, 2] = bad[5, 6] = True
    only_marked = DataConfig(bad_pixels="file")
    scan = read(tmp_path, data=only_marked, diff3d=stored, bad_pixels=bad)
    assert scan.counts()[4, 5, 6] == 0
    assert np.isfinite(scan.counts()).all()
    assert scan.domain == "counts"
    bad[5, 6] = False
    found = read(tmp_path, diff3d=stored, bad_pixels=bad)
    np.testing.assert_array_equal(found.mask, scan.mask)
    np.testing.assert_array_equal(found.counts(), scan.counts())
    assert "1 marked, 1 NaN, infinite or negative" in said(found)
    path = save_npz(tmp_path, scan_arrays(diff3d=stored, bad_pixels=bad))
    with pytest.raises(DataError) as error:
        read_scan_npz(path, only_marked)
    word = "negative" if value == -3 else "NaN" if np.isnan(value) else "infinite"
    assert one_sentence(
        str(error.value), path, "diff3d", "1 good pixels of pattern 4", word, "(1 such patterns, "
    )


class Watched(np.ndarray):
    """An array that notes whether the pieces taken from it are contiguous on disk."""

    contiguous: list[bool]

    def __getitem__(self, index):
        piece = super().__getitem__(index)
        first, last = np.lib.array_utils.byte_bounds(piece)
        self.contiguous.append(last - first == piece.nbytes)
        return np.asarray(piece)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1)])
def test_pieces_follow_the_order_on_disk(monkeypatch, axes):
    monkeypatch.setattr(pattern_array, "CHUNK_BYTES", 300)
    patterns = np.ones((8, 8, 8), np.uint16).transpose(axes).view(Watched)
    patterns.contiguous = []
    pattern_array.survey(patterns, np.ones((8, 8), bool))
    assert len(patterns.contiguous) > 3
    assert all(patterns.contiguous)


@pytest.mark.parametrize("order", ["kyx", "yxk"])
@pytest.mark.parametrize("chunk", [1, 300, 2**20])
def test_dark_patterns_are_told(tmp_path, monkeypatch, order, chunk):
    monkeypatch.setattr(pattern_array, "CHUNK_BYTES", chunk)
    patterns = np.zeros((K, N, N), np.uint16)
    patterns[0, -1, -1] = patterns[2, 0, 0] = patterns[5, 3, 3] = 1
    stored = patterns if order == "kyx" else patterns.transpose(1, 2, 0)
    assert "3 of 6 patterns are all zero, the first is 1" in said(read(tmp_path, diff3d=stored))


# Frame


def test_the_object_gives_canvas_and_truth(tmp_path):
    truth = complex_noise(25, 30)
    for stored in (truth, truth[None]):
        scan = read(tmp_path, objectGuess=stored)
        assert scan.canvas_shape == (25, 30)
        np.testing.assert_array_equal(scan.truth, truth)
        assert "objectGuess is taken as the true object" in said(scan)


@pytest.mark.parametrize(
    ("guess", "why"),
    [
        (np.ones((25, 30), np.complex64), "constant"),
        (np.zeros((25, 30)), "constant"),
        (np.where(np.eye(25, 30), np.nan, 1j), "NaN"),
    ],
)
def test_an_object_without_content_only_gives_the_canvas(tmp_path, guess, why):
    scan = read(tmp_path, objectGuess=guess)
    assert scan.canvas_shape == (25, 30)
    assert scan.truth is None
    assert why in said(scan)


def test_positions_about_zero_are_moved_onto_a_canvas(tmp_path):
    arrays = scan_arrays()
    x = arrays["xcoords"] - 12.0
    scan = read(tmp_path, xcoords=x)
    move = scan.positions_px[:, 1] - x
    assert np.ptp(move) < 1e-12
    assert move[0] == pytest.approx(np.round(move[0]))
    assert np.floor(scan.positions_px[:, 1]).min() == N // 2
    np.testing.assert_array_equal(scan.positions_px[:, 0], arrays["ycoords"])
    assert f"moved by (y, x) = (0, {move[0]:.0f}) px" in said(scan)


def test_lengths_are_read_where_known(tmp_path):
    scan = read(tmp_path, pixel_size_m=np.array(2e-8), wavelength_m=np.array([1.5e-10]))
    assert (scan.pixel_size_m, scan.wavelength_m) == (2e-8, 1.5e-10)


# What is refused


def pattern(change):
    return {"diff3d": change(scan_arrays()["diff3d"])}


def all_bad_but(*good):
    bad = np.ones((N, N), bool)
    bad[good] = False
    return bad


REFUSALS = {
    "complex patterns": (pattern(lambda p: p * 1j), "diff3d", "complex where real is needed"),
    "text patterns": (pattern(lambda p: p.astype(str)), "diff3d", "real numbers"),
    "flat patterns": (pattern(lambda p: p[0]), "diff3d", "2 axes"),
    "4-D patterns": (pattern(lambda p: p[None]), "diff3d", "4 axes"),
    "no patterns": (
        {**pattern(lambda p: p[:0]), "xcoords": np.empty(0), "ycoords": np.empty(0)},
        "no patterns",
    ),
    "not square": (pattern(lambda p: p[:, :, 1:]), "not square", "crop or pad"),
    "too few patterns": (pattern(lambda p: p[1:]), "5 patterns and 6 positions"),
    "too few, old order": (
        pattern(lambda p: p[1:].transpose(1, 2, 0)),
        "5 patterns and 6 positions",
    ),
    "only zeros": (pattern(lambda p: p * 0), "only zeros"),
    "only bad lit": (
        {**pattern(lambda p: p * np.eye(N, dtype=np.uint16)), "bad_pixels": all_bad_but(0, 1)},
        "only zeros in the good pixels",
    ),
    "NaN": (
        pattern(lambda p: np.where(np.arange(K)[:, None, None] == 2, np.nan, p)),
        "diff3d",
        "64 good pixels of pattern 2",
        "NaN",
        "mark those pixels in bad_pixels",
    ),
    "two faults": (
        pattern(lambda p: np.where(np.eye(N) > 0, [-1.0, np.nan] * (N // 2), p)),
        f"{N} good pixels of pattern 0 that are NaN or negative ({K} such patterns, "
        f"{N} pixels in all)",
    ),
    "no positions": ({"xcoords": None}, "xcoords", "only diff3d, probeGuess, ycoords"),
    "misnamed": ({"xcoords": None, "x_coords": np.arange(K)}, "xcoords", "rename x_coords"),
    "no patterns key": ({"diff3d": None, "diff2d": np.arange(3)}, "diff3d", "rename diff2d"),
    "2-D positions": ({"ycoords": np.ones((K, 1))}, "ycoords", "(6, 1)"),
    "complex positions": ({"ycoords": np.ones(K) * 1j}, "ycoords", "complex128"),
    "unequal positions": ({"ycoords": np.ones(K - 1)}, "6 x and 5 y"),
    "NaN position": (
        {"ycoords": np.array([5, 6, np.nan, 7, 8, np.nan])},
        "xcoords, ycoords",
        "NaN or infinity at pattern 2 (2 such patterns)",
    ),
    "infinite position": ({"xcoords": np.array([5, 6, 7, 8, 9, np.inf])}, "pattern 5"),
    "equal positions": (
        {"xcoords": np.full(K, 9.0), "ycoords": np.full(K, 9.0)},
        "equal positions",
    ),
    "metres": (
        {"xcoords": np.arange(K) * 1e-7, "ycoords": np.zeros(K)},
        "a step of 1e-07 object pixels",
        "--map",
        "position_unit=um energy=VALUE",
    ),
    "stray position": ({"xcoords": np.array([5, 6, 7, 8, 9, 1e9])}, "span", "stray positions"),
    "enormous positions": ({"xcoords": np.arange(K) + 1e300}, "1e+300"),
    "off the object": (
        {"objectGuess": complex_noise(25, 30), "xcoords": np.arange(K) + 26.0},
        "pattern 4 at (y, x)",
        "25 x 30 objectGuess",
        "or remove objectGuess",
    ),
    "object layers": ({"objectGuess": complex_noise(2, 25, 30)}, "objectGuess", "(2, 25, 30)"),
    "object of text": ({"objectGuess": np.full((25, 30), "a")}, "objectGuess", "<U1"),
    "empty object": ({"objectGuess": np.empty((0, 30))}, "objectGuess", "(0, 30)"),
    "small probe": ({"probeGuess": complex_noise(6, 6)}, "6 x 6", "8 x 8", "--probe FILE"),
    "oblong probe": ({"probeGuess": complex_noise(6, 8)}, "probeGuess", "(6, 8)"),
    "no modes": ({"probeGuess": complex_noise(0, N, N)}, "probeGuess", "(0, 8, 8)"),
    "flat probe": ({"probeGuess": complex_noise(N)}, "probeGuess", "(8,)"),
    "dark probe": ({"probeGuess": np.zeros((N, N))}, "probeGuess", "no power"),
    "NaN probe": ({"probeGuess": np.full((N, N), np.nan)}, "probeGuess", "NaN"),
    "text probe": ({"probeGuess": np.full((N, N), "a")}, "probeGuess", "<U1"),
    "no probe": ({"probeGuess": None}, "probeGuess", "give one with --probe FILE"),
    "masks": ({"bad_pixels": np.zeros((K, N, N), bool)}, "bad_pixels", "(6, 8, 8)"),
    "small mask": ({"bad_pixels": np.zeros((4, 4), bool)}, "bad_pixels", "(8, 8) bool"),
    "float mask": ({"bad_pixels": np.zeros((N, N))}, "bad_pixels", "float64"),
    "all bad": ({"bad_pixels": np.ones((N, N), bool)}, "bad_pixels", "every pixel bad"),
    "pixel size": ({"pixel_size_m": np.array(-1.0)}, "pixel_size_m", "-1", "metres"),
    "two wavelengths": ({"wavelength_m": np.ones(2)}, "wavelength_m", "(2,)"),
    "NaN wavelength": ({"wavelength_m": np.array(np.nan)}, "wavelength_m", "nan"),
    "domain": ({"domain": np.array("photons")}, "domain", "'photons'", "--domain"),
    "domain number": ({"domain": np.array(3)}, "domain", "int64"),
}


@pytest.mark.parametrize("case", REFUSALS)
@pytest.mark.parametrize("compressed", [False, True])
def test_what_makes_no_scan_is_refused_in_one_sentence(tmp_path, case, compressed):
    changes, *parts = REFUSALS[case]
    path = save_npz(tmp_path, scan_arrays(**changes), compressed=compressed)
    with pytest.raises(DataError) as error:
        read_scan_npz(path)
    assert one_sentence(str(error.value), path, *parts)


def test_a_wrong_order_override_is_refused(tmp_path):
    path = save_npz(tmp_path, scan_arrays())
    with pytest.raises(DataError) as error:
        read_scan_npz(path, DataConfig(axis_order="yxk"))
    assert one_sentence(str(error.value), path, "not square")


def test_a_replacing_probe_of_another_size_is_refused(tmp_path):
    other = tmp_path / "other.npz"
    np.savez(other, probe=complex_noise(6, 6))
    with pytest.raises(DataError) as error:
        read(tmp_path, data=DataConfig(probe=str(other)))
    assert one_sentence(str(error.value), other, "6 x 6", "8 x 8")


def test_one_pattern_is_a_scan(tmp_path):
    assert read(tmp_path, **scan_arrays(k=1)).n_patterns == 1


# Round trips


def some_scan(n, modes, shape, *, domain="counts", dtype=np.uint32, k=K, gap=False) -> Scan:
    rng = np.random.default_rng(n)
    patterns = rng.poisson(70000, (k, n, n)).astype(dtype)
    if domain == "amplitude":
        patterns = np.sqrt(patterns)
    mask = np.ones((n, n), bool)
    if gap:
        mask[:, n // 2 + 1] = False
    low, high = n // 2, np.array(shape) - n + n // 2
    return Scan(
        patterns=patterns,
        positions_px=rng.uniform(low, high, (k, 2)),
        probe=complex_noise(modes, n, n),
        mask=mask,
        canvas_shape=shape,
        domain=domain,
        name="made",
    )


def written_and_read(scan: Scan, path) -> Scan:
    write_scan_npz(path, scan)
    return read_scan_npz(path)


def assert_same(found: Scan, scan: Scan) -> None:
    for name in ("patterns", "positions_px", "probe", "mask"):
        np.testing.assert_array_equal(getattr(found, name), getattr(scan, name), err_msg=name)
    for name in ("canvas_shape", "domain", "pixel_size_m", "wavelength_m"):
        assert getattr(found, name) == getattr(scan, name), name
    if scan.truth is None:
        assert found.truth is None
    else:
        np.testing.assert_array_equal(found.truth, scan.truth)


@pytest.mark.parametrize("n", [8, 9])
@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.parametrize("domain", ["counts", "amplitude"])
@pytest.mark.parametrize("gap", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_round_trip_is_exact(tmp_path, n, modes, domain, gap, known):
    scan = some_scan(n, modes, (23, 31), domain=domain, gap=gap)
    if known:
        scan = replace(
            scan, truth=complex_noise(23, 31, seed=3), pixel_size_m=1.7e-8, wavelength_m=1.3e-10
        )
    found = written_and_read(scan, tmp_path / "a.npz")
    assert_same(found, scan)
    assert isinstance(found.patterns, StoredPatterns)
    again = written_and_read(found, tmp_path / "b.npz")
    assert_same(again, scan)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    ("dtype", "factor", "stored"),
    [
        (np.int64, 0.5, "uint16"),
        (np.float64, 0.5, "uint16"),
        (np.uint32, 1, "uint32"),
        (np.float32, 1, "uint32"),
        (np.uint16, 0.5, "uint16"),
        (bool, 1, "uint16"),
    ],
)
def test_counts_take_the_smallest_exact_type(tmp_path, dtype, factor, stored):
    scan = some_scan(8, 1, (20, 20), dtype=np.float64)
    scan = replace(scan, patterns=np.floor(scan.patterns * factor).astype(dtype))
    found = written_and_read(scan, tmp_path / "a.npz")
    assert str(found.patterns.dtype) == stored
    assert_same(found, scan)


def test_expected_counts_come_back_as_counts(tmp_path):
    scan = some_scan(8, 1, (20, 20))
    for values, stored in (
        (np.float32(0.25), "float32"),
        (np.float64(1) / 3, "float64"),
        (np.float64(2**40 + 1), "float64"),
        (np.longdouble(1) / 3, str(np.dtype(np.longdouble))),
    ):
        changed = replace(scan, patterns=np.full((K, 8, 8), values))
        found = written_and_read(changed, tmp_path / "a.npz")
        assert found.domain == "counts"
        assert str(found.patterns.dtype) == stored
        assert_same(found, changed)


def test_whole_amplitudes_come_back_as_amplitudes(tmp_path):
    scan = some_scan(8, 1, (20, 20), dtype=np.uint16)
    scan = replace(scan, domain="amplitude")
    found = written_and_read(scan, tmp_path / "a.npz")
    assert_same(found, scan)
    assert found.patterns.dtype == np.float32
    assert "the file says so; override with --domain counts" in said(found)


def test_faults_in_bad_pixels_survive(tmp_path):
    scan = some_scan(8, 1, (20, 20), dtype=np.float32, gap=True)
    scan.patterns[2, :, 5] = np.nan
    assert not scan.mask[:, 5].any()
    assert_same(written_and_read(scan, tmp_path / "a.npz"), scan)


def test_the_file_has_the_keys_that_others_read(tmp_path):
    scan = some_scan(8, 2, (20, 22))
    write_scan_npz(tmp_path / "a.npz", scan)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        found = {key: file[key] for key in file}
    assert set(found) == {
        *("diff3d", "xcoords", "ycoords", "xcoords_start", "ycoords_start", "probeGuess"),
        *("objectGuess", "scan_index", "bad_pixels", "domain"),
    }
    np.testing.assert_array_equal(found["xcoords"], scan.positions_px[:, 1])
    np.testing.assert_array_equal(found["ycoords_start"], scan.positions_px[:, 0])
    np.testing.assert_array_equal(found["scan_index"], np.zeros(K, int))
    np.testing.assert_array_equal(found["bad_pixels"], np.zeros((8, 8), bool))
    np.testing.assert_array_equal(found["objectGuess"], np.ones((20, 22), np.complex64))


def test_which_scan_a_pattern_belongs_to_is_read_and_written(tmp_path):
    labels = np.arange(K) % 2 + 3
    scan = read(tmp_path, scan_index=labels.astype(np.float64))
    np.testing.assert_array_equal(scan.scan_index, labels)
    assert scan.scan_index.dtype == np.int64
    assert "scan_index names 2 scans: no group of patterns mixes them" in said(scan)
    again = written_and_read(scan, tmp_path / "again.npz")
    np.testing.assert_array_equal(again.scan_index, labels)


@pytest.mark.parametrize("one", [None, np.zeros(K, int), np.full(K, 7), np.array(3), np.array([3])])
def test_one_scan_is_not_numbered(tmp_path, one):
    assert read(tmp_path, scan_index=one).scan_index is None


@pytest.mark.parametrize(
    "wrong",
    [np.zeros(K - 1, int), np.zeros((K, 2), int), np.full(K, 0.5), np.full(K, np.nan), ["a"] * K],
)
def test_scan_numbers_that_are_none_are_refused(tmp_path, wrong):
    with pytest.raises(DataError) as error:
        read(tmp_path, scan_index=np.asarray(wrong))
    assert one_sentence(str(error.value), tmp_path / "scan.npz", "scan_index", "one integer for")


class NeverWhole(np.memmap):
    """A mapped array that counts the largest piece taken from it."""

    largest = 0

    def __getitem__(self, index):
        piece = super().__getitem__(index)
        if isinstance(piece, np.ndarray):
            type(self).largest = max(type(self).largest, piece.nbytes)
        return piece


def test_patterns_are_written_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("ptychopinn.io.npz_writer.CHUNK_BYTES", 4 * 8 * 8 * 4)
    scan = some_scan(8, 1, (20, 20), k=50)
    scan.patterns.tofile(tmp_path / "raw")
    mapped = NeverWhole(tmp_path / "raw", dtype=np.uint32, mode="r", shape=(50, 8, 8))
    mapped_scan = replace(scan, patterns=mapped)
    NeverWhole.largest = 0
    found = written_and_read(mapped_scan, tmp_path / "a.npz")
    assert NeverWhole.largest == 4 * 8 * 8 * 4
    assert_same(found, scan)


def test_a_scan_may_be_written_over_its_own_file(tmp_path):
    path = tmp_path / "a.npz"
    scan = some_scan(8, 1, (20, 20))
    found = written_and_read(scan, path)
    write_scan_npz(path, found)
    assert_same(read_scan_npz(path), scan)
    assert_same(found, scan)


def test_a_truth_of_another_size_is_refused(tmp_path):
    scan = replace(some_scan(8, 1, (20, 20)), truth=complex_noise(21, 20))
    with pytest.raises(
        DataError, match=r"made: truth: found shape \(21, 20\), wanted .*\(20, 20\)"
    ):
        write_scan_npz(tmp_path / "a.npz", scan)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    path.write_bytes(b"old")
    real = atomic.Path.touch

    def touch_then_full(self, **kwargs):
        real(self, **kwargs)
        self.unlink()
        self.symlink_to("/dev/full")  # every write to it says: no space left on device

    monkeypatch.setattr(atomic.Path, "touch", touch_then_full)
    with pytest.raises(OutputError) as error:
        write_scan_npz(path, some_scan(8, 1, (20, 20), k=400))
    assert one_sentence(str(error.value), path, "No space left on device", "free")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.npz"]


# The real measurement


def test_the_measurement_of_the_siemens_star_is_read(real_scan_files):
    scan = read_scan_npz(real_scan_files[0])
    assert scan.patterns.shape == (516, 128, 128)
    assert scan.patterns.dtype == np.uint16
    assert scan.domain == "counts"
    assert "diff3d is read as counts because its type is uint16" in said(scan)
    assert scan.probe.shape == (1, 128, 128)
    assert scan.truth is None
    assert scan.counts(0).sum() > 1e5
    with np.load(real_scan_files[0]) as file:
        np.testing.assert_array_equal(scan.positions_px[:, 1], file["xcoords"])
