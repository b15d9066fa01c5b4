import numpy as np
import pytest

from ptycho import params
from ptycho.evaluation import eval_reconstruction
from ptycho.loader import PtychoDataContainer, load
from ptycho.probe import set_probe_guess
from ptycho.raw_data import RawData
from ptycho.tf_helper import reassemble_position
from ptycho.window_frame import cut_windows
from ptychopinn.errors import ConfigError, DataError, ShapeError
from ptychopinn.evaluation import compare
from ptychopinn.io import write_scan_npz
from tests.conftest import make_scan

N = 32


@pytest.fixture(autouse=True)
def _own_dictionary(monkeypatch):
    monkeypatch.setattr(params, "cfg", dict(params.cfg))


@pytest.fixture
def raw(tmp_path):
    write_scan_npz(tmp_path / "scan.npz", make_scan(N, modes=2))
    return RawData.from_file(tmp_path / "scan.npz")


def test_a_file_and_its_copy_say_the_same(raw, tmp_path):
    scan = make_scan(N, modes=2)
    assert raw.diff3d.shape == (scan.n_patterns, N, N)
    np.testing.assert_array_equal(raw.diff3d, scan.patterns)
    np.testing.assert_allclose(raw.xcoords, scan.positions_px[:, 1])
    assert raw.probeGuess.shape == (2, N, N)
    raw.to_file(tmp_path / "copy.npz")
    np.testing.assert_array_equal(RawData.from_file(tmp_path / "copy.npz").diff3d, raw.diff3d)


def test_groups_have_the_keys_shapes_and_signs_of_the_original(raw):
    groups = raw.generate_grouped_data(N, K=7, nsamples=1, gridsize=2)
    count = raw.scan.n_patterns
    assert groups["diffraction"].shape == groups["X_full"].shape == (count, N, N, 4)
    assert groups["coords_offsets"].shape == (count, 1, 2, 1)
    assert groups["coords_relative"].shape == (count, 1, 2, 4)
    assert groups["nn_indices"].shape == (count, 4)
    assert groups["Y"].shape == (count, N, N, 4)
    assert np.iscomplexobj(groups["Y"])
    # One group around every pattern, in scan order.
    np.testing.assert_allclose(groups["coords_offsets"][:, 0, 0, 0], raw.xcoords)
    np.testing.assert_allclose(groups["coords_offsets"][:, 0, 1, 0], raw.ycoords)
    # A position is the offset minus its relative coordinate, (x, y).
    back = groups["coords_offsets"] - groups["coords_relative"]
    np.testing.assert_allclose(back[:, 0, 0], raw.xcoords[groups["nn_indices"]])
    np.testing.assert_allclose(back[:, 0, 1], raw.ycoords[groups["nn_indices"]])
    # Channels are grid cells: rows by y, columns by x.
    y, x = (values[groups["nn_indices"]] for values in (raw.ycoords, raw.xcoords))
    assert (y[:, :2].max(axis=1) <= y[:, 2:].min(axis=1)).all()
    assert (x[:, ::2] <= x[:, 1::2]).all()


def test_amplitudes_are_normalised_as_documented(raw):
    groups = raw.generate_grouped_data(N, gridsize=1)
    counts = raw.diff3d.astype(float)
    np.testing.assert_allclose(groups["diffraction"][..., 0] ** 2, counts, rtol=1e-5)
    assert (groups["X_full"] ** 2).sum() / len(counts) == pytest.approx((N / 2) ** 2, rel=1e-4)


def test_more_groups_than_patterns_and_few(raw):
    many = raw.generate_grouped_data(N, K=6, nsamples=3 * raw.scan.n_patterns, gridsize=2)
    assert len(many["X_full"]) == 3 * raw.scan.n_patterns
    few = raw.generate_grouped_data(N, K=6, nsamples=20, gridsize=2, seed=1)
    assert len(few["X_full"]) == 20


def test_another_n_is_refused_with_both_numbers(raw):
    with pytest.raises(DataError, match="32 x 32 pixels, wanted N = 64"):
        raw.generate_grouped_data(64)


def test_arrays_mean_the_middle_of_the_window():
    scan = make_scan(N)
    middles = scan.positions_px - 0.5
    raw = RawData.from_coords_without_pc(
        xcoords=middles[:, 1],
        ycoords=middles[:, 0],
        diff3d=scan.patterns,
        probeGuess=scan.probe,
        scan_index=np.zeros(scan.n_patterns, int),
        objectGuess=np.ones(scan.canvas_shape, complex),
    )
    np.testing.assert_allclose(raw.scan.positions_px, scan.positions_px, atol=1e-6)
    assert raw.scan.canvas_shape == scan.canvas_shape
    assert raw.objectGuess is None  # ones are no truth
    np.testing.assert_allclose(raw.xcoords, middles[:, 1])


def test_patterns_that_are_not_square_are_refused():
    with pytest.raises(DataError, match="square patterns"):
        RawData.from_coords_without_pc(
            np.arange(3.0), np.arange(3.0), np.ones((3, 8, 9)), np.ones((8, 8)), np.zeros(3)
        )


def test_a_container_splits_and_keeps_its_memory_through_arithmetic(raw):
    groups = raw.generate_grouped_data(N, gridsize=2)
    whole = load(lambda: groups, raw.probeGuess)
    assert isinstance(whole, PtychoDataContainer)
    assert whole.probe.shape == (2, N, N)
    scaled = whole.X * 3.5
    np.testing.assert_allclose(np.asarray(scaled), 3.5 * groups["X_full"], rtol=1e-6)
    assert scaled.scan is raw.scan
    train = load(lambda: (groups, 0.75), raw.probeGuess, which="train", create_split=True)
    test = load(lambda: (groups, 0.75), raw.probeGuess, which="test", create_split=True)
    assert len(train) + len(test) == len(whole)
    np.testing.assert_array_equal(test.global_offsets, whole.global_offsets[len(train) :])
    with pytest.raises(ConfigError, match="'train' or 'test'"):
        load(lambda: (groups, 0.75), raw.probeGuess, create_split=True)


@pytest.mark.parametrize("shape", [(N, N), (3, N, N), (N, N, 1)])
def test_a_probe_has_its_modes_first(shape):
    rng = np.random.default_rng(0)
    kept = set_probe_guess(None, rng.normal(size=shape) + 1j)
    assert kept.shape == (3 if shape[0] == 3 else 1, N, N)
    assert params.get("probe") is kept


def test_windows_cut_from_an_image_give_it_back():
    """Not symmetric, not square, positions not whole: a swapped axis or sign would show."""
    scan = make_scan(N)
    middles = scan.positions_px - 0.5
    low, high = middles.min(axis=0), middles.max(axis=0)
    shape = tuple(np.round(low + high + 1).astype(int))
    image = scan.truth[: shape[0], : shape[1]]
    patches = cut_windows(image, middles, N)[..., None]
    offsets = middles[:, None, ::-1, None]
    merged = reassemble_position(patches, offsets, M=20)
    assert type(merged) is np.ndarray
    assert merged.shape == shape
    lit = merged != 0
    assert lit[N // 2 : -N // 2, N // 2 : -N // 2].all()
    np.testing.assert_allclose(merged[lit], image[lit], rtol=1e-5)
    with pytest.raises(ShapeError, match="M = 40"):
        reassemble_position(patches, offsets, M=40)


def test_evaluation_gives_pairs_of_amplitude_and_phase():
    truth = make_scan(N).truth
    rng = np.random.default_rng(1)
    image = truth * (1 + 0.05 * rng.normal(size=truth.shape)) * np.exp(0.4j)
    found = eval_reconstruction(image[None, ..., None], truth[..., None])
    assert found.keys() == {"mae", "mse", "psnr", "ssim", "ms_ssim", "frc50"}
    expected = compare(image, truth).metrics
    assert found["ssim"] == (expected.amplitude.ssim, expected.phase.ssim)
    assert found["psnr"] == (expected.amplitude.psnr_db, expected.phase.psnr_db)
    assert found["mae"][1] < found["mae"][0]  # the noise is in the amplitude
    assert found["frc50"][0] < found["frc50"][1] <= 0.5
    with pytest.raises(ShapeError, match="two images"):
        eval_reconstruction(truth[None].repeat(2, 0), truth)
