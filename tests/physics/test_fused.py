import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from ptychopinn.physics import fused
from ptychopinn.physics.canvas import add_windows, cut_windows
from ptychopinn.physics.diffraction import diffract_in_corner
from ptychopinn.physics.fourier import intensity
from ptychopinn.physics.fused import (
    add_light,
    add_update,
    asked_slopes,
    can_fuse,
    moved_probes,
    moved_waves,
    predicted_counts,
)
from ptychopinn.physics.linearised import slope_equations
from ptychopinn.physics.mkl_transform import MklTransform
from ptychopinn.physics.probe import exit_waves, probes_at
from ptychopinn.physics.projection import (
    PROJECTION,
    ModulusStep,
    modulus_residual,
    object_update,
)

SHAPE = (40, 57)


def patterns(n: int, modes: int):
    """Object, corners, amplitudes and probes of five patterns."""
    draw = torch.Generator().manual_seed(n + modes)
    canvas = torch.randn(1, *SHAPE, dtype=torch.complex64, generator=draw)
    rows, columns = (torch.randint(0, side - n, (1, 5), generator=draw) for side in SHAPE)
    amplitude = torch.rand(1, 5, n, n, generator=draw) * 9
    probes = torch.randn(1, 5, modes, n, n, dtype=torch.complex64, generator=draw)
    return canvas, torch.stack([rows, columns], dim=-1), amplitude, probes


@pytest.fixture(params=["pattern by pattern", "batch by batch"])
def way(request, monkeypatch):
    """Both ways: with transforms inside of the loops, and without."""
    if request.param == "batch by batch":
        monkeypatch.setattr(fused, "load_transform", lambda *_: None)
    elif fused.load_transform(16, 1) is None:
        pytest.skip("torch brings no MKL here")


@pytest.mark.parametrize("n", [16, 17])
@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.parametrize("step", [PROJECTION, ModulusStep.proximal(2.0)])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.usefixtures("way")
def test_it_is_cutting_asking_and_adding_in_one(n, modes, step, masked):
    canvas, corners, amplitude, probes = patterns(n, modes)
    good = torch.ones(n, n)
    if masked:
        good[2:5] = 0
    before = torch.randn(1, *SHAPE, dtype=torch.complex64)
    wanted, total = before.clone(), before.clone()
    patches = cut_windows(canvas, corners, n)
    asked = object_update(patches, probes, amplitude, good if masked else None, step)
    add_windows(wanted, asked, corners)
    assert (wanted - before).abs().max() > 1
    add_update(total, canvas, (corners, corners), (amplitude, probes), good, step)
    torch.testing.assert_close(total, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n", [16, 17])
@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.usefixtures("way")
def test_moved_waves_are_what_the_data_step_adds(n, modes):
    canvas, corners, amplitude, probes = patterns(n, modes)
    waves = exit_waves(cut_windows(canvas, corners, n), probes)
    wanted = modulus_residual(waves, amplitude, None)
    found = moved_waves(canvas, corners, (amplitude, probes), torch.ones(n, n), PROJECTION)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n", [16, 17])
@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.usefixtures("way")
def test_probes_move_as_without_compiled_loops(n, modes):
    probe = patterns(n, modes)[-1][0, 0]
    fractions = torch.tensor([[0.0, 0.0], [0.25, 0.5], [0.99, 0.1]])
    found = moved_probes(probe, fractions)
    torch.testing.assert_close(found, probes_at(probe, fractions), rtol=1e-5, atol=1e-5)
    assert (found[1] - found[0]).abs().max() > 0.1


@pytest.mark.parametrize("n", [16, 17])
@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.usefixtures("way")
def test_predicted_counts_are_those_of_the_forward_model(n, modes):
    canvas, corners, _, probes = patterns(n, modes)
    wanted = diffract_in_corner(cut_windows(canvas, corners, n), probes)
    found = predicted_counts(canvas, corners, probes)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n", [16, 17])
@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.usefixtures("way")
def test_slopes_are_asked_as_of_single_patches(n, modes, masked):
    canvas, corners, amplitude, probes = patterns(n, modes)
    good = torch.ones(n, n)
    if masked:
        good[2:5] = 0
    patches = cut_windows(canvas, corners, n)
    wanted = slope_equations(patches, probes, amplitude, good)
    found = asked_slopes(canvas, corners, (amplitude, probes), good)
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        scale = other.abs().max().item()
        torch.testing.assert_close(one.float(), other, rtol=1e-3, atol=1e-4 * scale)


def test_other_precisions_of_a_probe_move_too():
    probe = patterns(16, 2)[-1][0, 0].to(torch.complex128)
    fractions = torch.rand(3, 2, dtype=torch.float64)
    torch.testing.assert_close(
        moved_probes(probe, fractions), probes_at(probe, fractions), rtol=0, atol=0
    )


@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.parametrize("precision", [torch.complex64, torch.complex128])
def test_light_falls_where_windows_are(modes, precision):
    _, corners, _, probes = patterns(16, modes)
    probes = probes.to(precision)
    found, wanted = torch.ones(2, 1, *SHAPE, dtype=probes.real.dtype)
    add_light(found, probes, corners)
    add_windows(wanted, intensity(probes), corners)
    torch.testing.assert_close(found, wanted)


def test_threads_share_a_transform():
    def update(seed):
        draw = torch.Generator().manual_seed(seed)
        canvas, corners, amplitude, probes = patterns(32, 2)
        canvas = torch.randn(canvas.shape, dtype=canvas.dtype, generator=draw)
        total = torch.zeros_like(canvas)
        lit = (amplitude, probes)
        add_update(total, canvas, (corners, corners), lit, torch.ones(32, 32), PROJECTION)
        return total

    seeds = range(40)
    alone = [update(seed) for seed in seeds]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(update, seeds))
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))
    assert not torch.equal(alone[0], alone[1])


def test_a_transform_that_fails_is_no_silence(monkeypatch):
    good = fused.load_transform(16, 1)
    if good is None:
        pytest.skip("torch brings no MKL here")
    canvas, corners, amplitude, probes = patterns(16, 1)
    # An empty plan: MKL says so, and returns.
    broken = MklTransform(good.forward, good.backward, 0)
    monkeypatch.setattr(fused, "load_transform", lambda *_: broken)
    lit = (amplitude, probes)
    with pytest.raises(RuntimeError, match="MKL failed"):
        moved_waves(canvas, corners, lit, torch.ones(16, 16), PROJECTION)


def test_it_adds_to_a_strip_of_the_canvas():
    canvas, corners, amplitude, probes = patterns(16, 1)
    lit, good = (amplitude, probes), torch.ones(16, 16)
    first = int(corners[..., 0].min())
    whole, strip = torch.zeros_like(canvas), torch.zeros_like(canvas[:, first:])
    add_update(whole, canvas, (corners, corners), lit, good, PROJECTION)
    below = corners - torch.tensor([first, 0])
    add_update(strip, canvas, (corners, below), lit, good, PROJECTION)
    torch.testing.assert_close(strip, whole[:, first:], rtol=0, atol=0)
    assert not whole[:, :first].any()


def test_a_dark_pixel_that_should_be_dark_asks_for_nothing_and_stays_finite():
    canvas, corners, amplitude, probes = patterns(16, 1)
    total = torch.zeros_like(canvas)
    lit = (torch.zeros_like(amplitude), torch.zeros_like(probes))
    add_update(total, canvas, (corners, corners), lit, torch.ones(16, 16), PROJECTION)
    assert not total.any()


def test_a_value_that_is_no_number_does_not_vanish():
    canvas, corners, amplitude, probes = patterns(16, 1)
    amplitude[0, 2, 3, 3] = np.nan
    total = torch.zeros_like(canvas)
    add_update(
        total, canvas, (corners, corners), (amplitude, probes), torch.ones(16, 16), PROJECTION
    )
    assert total.isnan().any()


def test_other_precisions_and_devices_are_left_to_torch():
    single = torch.zeros(2, dtype=torch.complex64)
    assert can_fuse(single)
    assert not can_fuse(single, single.to(torch.complex128))
    assert not can_fuse(single.to("meta"))


def test_without_numba_torch_does_the_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "ptychopinn.physics.kernels", None)
    fused.load_kernels.cache_clear()
    assert not can_fuse(torch.zeros(2, dtype=torch.complex64))
    fused.load_kernels.cache_clear()


def test_a_long_wait_for_the_compiler_is_explained(monkeypatch, caplog):
    def slowly(name):
        time.sleep(0.3)
        raise ImportError(name)

    monkeypatch.setattr(fused.importlib, "import_module", slowly)
    for most, said in ((0.05, True), (10.0, False)):
        monkeypatch.setattr(fused, "_LONG_S", most)
        caplog.clear()
        fused.load_kernels.cache_clear()
        with caplog.at_level("INFO"):
            assert fused.load_kernels() is None
        assert ("compiling" in caplog.text) == said
    fused.load_kernels.cache_clear()
