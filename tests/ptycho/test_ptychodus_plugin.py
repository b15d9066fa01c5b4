"""The older PtychoPINN plugin of Ptychodus, unmodified: export, train, save, open, reconstruct."""

import numpy as np
import pytest

from ptychopinn.bundle import load_bundle
from ptychopinn.config import Config, InferenceConfig
from ptychopinn.inference import reconstruct
from ptychopinn.io import write_product
from ptychopinn.scan import Reconstruction, Scan
from tests.conftest import make_scan

pytest.importorskip("ptychodus", reason="Ptychodus is not installed; make test-interop")

from ptychodus.api.io import load_product
from ptychodus.api.reconstruct import ReconstructInput
from ptychodus.api.settings import SettingsRegistry
from ptychodus.model.ptychopinn.reconstructor import build_reconstructor
from ptychodus.model.ptychopinn.settings import (
    PtychoPINNInferenceSettings,
    PtychoPINNModelSettings,
    PtychoPINNTrainingSettings,
)

N = 32


def scan_on_canvas_of_ptychodus() -> Scan:
    """A scan whose canvas is centred on it, as Ptychodus makes objects."""
    scan = make_scan(N)
    low, high = scan.positions_px.min(axis=0), scan.positions_px.max(axis=0)
    height, width = np.round(low + high).astype(int)  # 2 * mid + 1 of window middles
    return Scan(
        scan.patterns,
        scan.positions_px,
        scan.probe,
        scan.mask,
        (int(height), int(width)),
        truth=scan.truth[:height, :width],
    )


def parameters(scan: Scan, place) -> ReconstructInput:
    product = Reconstruction(
        object=np.ones(scan.canvas_shape, np.complex64),
        coverage=np.ones(scan.canvas_shape, np.float32),
        probe=scan.probe,
        positions_px=scan.positions_px,
        losses=np.empty(0),
        pixel_size_m=1e-8,
        wavelength_m=1e-10,
    )
    write_product(place, product)
    counts = np.asarray(scan.patterns).astype(np.uint16)
    return ReconstructInput(counts, np.zeros((N, N), bool), load_product(place))


def plugin(gridsize: int = 1, epochs: int = 1, name: str = "PINN"):
    registry = SettingsRegistry()
    model = PtychoPINNModelSettings(registry)
    training = PtychoPINNTrainingSettings(registry)
    inference = PtychoPINNInferenceSettings(registry)
    model.gridsize.set_value(gridsize)
    training.nepochs.set_value(epochs)
    return build_reconstructor(name, model, inference, training, is_developer_mode_enabled=False)


@pytest.mark.slow
@pytest.mark.parametrize("gridsize", [1, pytest.param(2, marks=pytest.mark.heavy)])
def test_trains_saves_opens_and_reconstructs(tmp_path, gridsize):
    scan = scan_on_canvas_of_ptychodus()
    given = parameters(scan, tmp_path / "product.h5")
    trainer = plugin(gridsize)
    (tmp_path / "input").mkdir()
    for part in ("train", "test"):
        trainer.export_training_data(tmp_path / "input" / f"{part}_data.npz", given)
    list(trainer.train(tmp_path / "input", tmp_path / "output"))
    assert (tmp_path / "output" / "wts.h5.zip").stat().st_size > 1000
    assert (tmp_path / "output" / "history.csv").read_text().count("\n") == 2
    trainer.save_model(tmp_path / "kept.zip")

    opened = plugin(gridsize)
    opened.load_model_from_file(tmp_path / "kept.zip")
    result = list(opened.reconstruct(given))[-1].product.object_
    image = result.get_layer(0)
    assert type(image) is np.ndarray
    assert image.shape == scan.canvas_shape
    assert result.get_center() == given.product.object_.get_center()

    bundle = load_bundle(tmp_path / "output")
    quick = Config(inference=InferenceConfig(checks=False))
    expected = reconstruct(scan, bundle, quick).object
    lit = np.abs(image) > 0
    assert lit[N // 2 : -N // 2, N // 2 : -N // 2].all()
    np.testing.assert_allclose(image[lit], expected[lit], atol=2e-3)


@pytest.mark.heavy
def test_a_model_of_another_gridsize_is_refused_in_one_sentence(tmp_path):
    scan = scan_on_canvas_of_ptychodus()
    given = parameters(scan, tmp_path / "product.h5")
    trainer = plugin(gridsize=1)
    for part in ("train", "test"):
        trainer.export_training_data(tmp_path / f"{part}_data.npz", given)
    list(trainer.train(tmp_path, tmp_path / "output"))
    other = plugin(gridsize=2)
    other.load_model_from_file(tmp_path / "output" / "wts.h5.zip")
    with pytest.raises(RuntimeError, match="trained with N = 32 and gridsize 1"):
        list(other.reconstruct(given))
