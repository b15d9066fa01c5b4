"""The engines of pty-chi, where it is installed, and the sentence where it is not."""

import importlib.util
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from ptychopinn.config import IterativeConfig
from ptychopinn.errors import ConfigError
from ptychopinn.inference import fit_of
from ptychopinn.iterative import Start, go_on, hand_over, solve
from ptychopinn.iterative.ptychi_engine import _left_as_found, _task, load_ptychi
from tests.conftest import make_scan, phase_error

needs_ptychi = pytest.mark.skipif(
    importlib.util.find_spec("ptychi") is None,
    reason="pty-chi is an optional extra: pip install 'ptychopinn[ptychi]'",
)
LSQML = IterativeConfig(engine="lsqml", epochs=10, device="cpu", threads=1)


def test_without_pty_chi_the_sentence_has_the_command(monkeypatch):
    for name in ("ptychi", "ptychi.api", "ptychi.api.task"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"pip install 'ptychopinn\[ptychi\]'.*--engine pie"):
        load_ptychi()


@needs_ptychi
@pytest.mark.parametrize("n", [32, 33])
def test_pty_chi_predicts_what_we_predict(n):
    scan = make_scan(n, side=4, noise=False, photons=1e6)
    given = hand_over(Start(scan, scan.truth))
    with _left_as_found():
        task = _task(load_ptychi(), LSQML, given, "cpu")
        with torch.no_grad():
            predicted = task.reconstructor.forward_model(torch.arange(scan.n_patterns)).numpy()
    apart = np.sqrt(predicted) - np.sqrt(given.patterns)
    assert np.sqrt((apart**2).sum() / given.patterns.sum()) < 0.01


@needs_ptychi
@pytest.mark.parametrize("engine", ["lsqml", "rpie", "epie", "autodiff"])
def test_engines_improve_an_image(engine, bent_scan, image_of_bent):
    found = go_on(bent_scan, image_of_bent, replace(LSQML, engine=engine)).made
    before, after = (fit_of(bent_scan, m, "cpu").deviance.mean() for m in (image_of_bent, found))
    assert after < 0.7 * before
    assert found.provenance["versions"]["ptychi"]
    assert len(found.losses) == 10


@needs_ptychi
@pytest.mark.parametrize("engine", ["dm", "raar"])
def test_projection_engines_keep_a_good_image(engine, true_scan):
    wanted = replace(LSQML, engine=engine, refine_probe=False, epochs=5)
    found = solve(Start(true_scan, true_scan.truth), wanted)
    assert phase_error(found.object, true_scan) < 0.05


@needs_ptychi
def test_positions_come_nearer_to_the_truth(true_scan):
    rng = np.random.default_rng(0)
    moved = true_scan.positions_px + rng.normal(0, 0.4, true_scan.positions_px.shape)
    limits = np.array(true_scan.canvas_shape) - true_scan.n // 2 - 1
    scan = replace(true_scan, positions_px=np.clip(moved, true_scan.n // 2, limits))
    wanted = replace(LSQML, refine_positions="points", refine_probe=False, epochs=40)
    found = solve(Start(scan, true_scan.truth), wanted)

    def error(positions):
        away = positions - true_scan.positions_px
        return np.sqrt(((away - away.mean(axis=0)) ** 2).mean())

    assert error(found.positions_px) < 0.5 * error(scan.positions_px)


@needs_ptychi
def test_the_process_is_left_as_it_was(true_scan):
    solve(Start(true_scan, true_scan.truth), replace(LSQML, epochs=1))
    assert torch.get_default_dtype() == torch.float32
    assert torch.ones(1).device.type == "cpu"
    assert torch.utils._device.CURRENT_DEVICE is None


@needs_ptychi
def test_an_engine_that_moves_no_positions_says_so(true_scan):
    for wanted in (
        replace(LSQML, engine="dm", refine_positions="points"),
        replace(LSQML, refine_positions="affine"),
    ):
        with pytest.raises(ConfigError, match="take --engine pie"):
            solve(Start(true_scan, true_scan.truth), wanted)
