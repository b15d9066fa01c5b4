import torch

from ptycho.config.config import ModelConfig, TrainingConfig
from ptycho.loader import load
from ptycho.raw_data import RawData
from ptycho_torch.data_container_bridge import create_container_from_raw


def test_the_container_holds_what_the_older_one_holds(folder):
    raw = RawData.from_file(folder / "scan.npz")
    config = TrainingConfig(model=ModelConfig(N=32, gridsize=2), n_groups=20, neighbor_count=5)
    made = create_container_from_raw(raw, config)
    older = load(
        lambda: raw.generate_grouped_data(32, K=5, nsamples=20, gridsize=2), raw.probeGuess
    )
    for name in ("X", "local_offsets", "global_offsets", "Y", "nn_indices", "probe"):
        found = getattr(made, name)
        assert isinstance(found, torch.Tensor)
        assert (found.numpy() == getattr(older, name)).all(), name
    assert len(made) == 20
    assert made.X.shape == (20, 32, 32, 4)
    assert made.local_offsets.shape == (20, 1, 2, 4)
    assert made.global_offsets.shape == (20, 1, 2, 1)
