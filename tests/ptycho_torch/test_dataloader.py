import numpy as np
import pytest

from ptycho_torch.dataloader import PtychoDataset, lightning_loader
from ptychopinn.errors import DataError
from ptychopinn.io.stored_patterns import StoredPatterns


def test_a_batch_is_tensors_by_name_probe_and_scaling(folder, scan, records):
    dataset = PtychoDataset(folder / "scan.npz", records.data_config)
    assert isinstance(dataset.scan.patterns, StoredPatterns)
    tensors, probe, scaling = next(iter(lightning_loader(dataset, 5, shuffle=False)))
    members = tensors["nn_indices"].numpy()
    assert np.array_equal(tensors["images"].numpy() ** 2, scan.patterns[members]) or np.allclose(
        tensors["images"].numpy() ** 2, scan.patterns[members], rtol=1e-5
    )
    xy = scan.positions_px[members][..., ::-1]
    assert np.allclose(tensors["coords_center"][:, 0, 0], xy[:, 0], atol=1e-4)
    assert np.allclose(tensors["coords_relative"][:, :, 0], xy[:, :1] - xy, atol=1e-4)
    assert probe.shape == (1, 32, 32)
    power = (scaling.numpy() ** 2) * scan.patterns.sum(axis=(1, 2)).mean()
    assert np.allclose(power, (32 / 2) ** 2, rtol=1e-4)


def test_another_size_is_refused_with_both(folder, records):
    records.data_config.N = 64
    with pytest.raises(DataError, match=r"32 x 32 pixels, wanted N = 64"):
        PtychoDataset(folder / "scan.npz", records.data_config)
