"""What `ptycho_torch.model` has under the names of the design works, not only imports."""

import numpy as np
import pytest
import torch

from ptycho_torch.model import (
    PtychoPINN_Lightning,
    UNet,
    diffract,
    predict_counts,
    resolve_loss,
)
from ptychopinn.data import GroupDataset, collate_groups, group_patterns
from ptychopinn.physics.view import BatchView
from ptychopinn.scan import PatternBatch
from tests.conftest import make_scan, smooth_probe


@pytest.fixture
def batch():
    """Two groups of four patterns."""
    scan = make_scan(32)
    groups = group_patterns(scan.positions_px, 4, 8, rng=np.random.default_rng(0))
    data = GroupDataset(scan, groups)
    return collate_groups(data)([data[0], data[1]])


def test_the_unet_turns_groups_of_patterns_into_patches_and_learns(records, batch):
    module = PtychoPINN_Lightning(**vars(records))
    assert isinstance(module.generator, UNet)
    patches = module.generator(BatchView(batch))
    assert patches.shape == (2, 4, 32, 32)
    assert patches.dtype == torch.complex64
    patches.abs().square().mean().backward()
    slopes = [weights.grad for weights in module.generator.parameters()]
    assert all(slope is not None and torch.isfinite(slope).all() for slope in slopes)
    assert any(slope.abs().max() > 0 for slope in slopes)


def test_a_training_step_judges_by_the_patterns(records, batch):
    module = PtychoPINN_Lightning(**vars(records))
    loss = module.training_step(batch, 0)
    assert loss.ndim == 0
    assert torch.isfinite(loss)
    assert (module.loss_name, module.val_loss_name) == ("train_loss_epoch", "val_loss")


def test_diffraction_keeps_the_photons():
    patches = torch.polar(torch.ones(1, 2, 32, 32), torch.randn(1, 2, 32, 32))
    probe = torch.from_numpy(smooth_probe(32, 3))
    counts = diffract(patches, probe[None, None])
    light = probe.abs().square().sum().expand(1, 2)
    torch.testing.assert_close(counts.sum((-2, -1)), light)


def test_the_true_object_predicts_the_patterns_and_has_no_loss():
    scan = make_scan(32, noise=False)
    whole = np.floor(scan.positions_px)
    batch = PatternBatch(
        counts=torch.from_numpy(scan.counts())[None],
        corners=torch.from_numpy(whole.astype(np.int64) - scan.n // 2)[None],
        fractions=torch.from_numpy(scan.positions_px - whole)[None],
        probe=torch.from_numpy(scan.probe),
        mask=torch.ones(scan.n, scan.n),
        canvas_shape=scan.canvas_shape,
    )
    predicted = predict_counts(torch.from_numpy(scan.truth)[None], batch)
    torch.testing.assert_close(predicted, batch.counts, rtol=1e-3, atol=1e-2)
    for name in ("poisson", "amplitude_mse", "amplitude_mae"):
        loss = resolve_loss(name)
        least = loss(predicted, batch.counts, batch.mask)
        assert least < 1e-3 * loss(2 * predicted, batch.counts, batch.mask)
