import dataclasses

import numpy as np
import pytest
import torch

from ptychopinn.config import Config, DataConfig, PhysicsConfig, TrainingConfig
from ptychopinn.data import GroupDataset, collate_groups, group_patterns, normalise
from ptychopinn.data.datamodule import ScanDataModule
from ptychopinn.physics.view import BatchView
from tests.conftest import make_scan


def dataset(scan, size=4):
    groups = group_patterns(scan.positions_px, size, scan.n_patterns, rng=np.random.default_rng(0))
    return GroupDataset(scan, groups)


@pytest.mark.parametrize("n", [16, 17])
def test_a_group_keeps_the_distances_of_its_patterns(n):
    scan = make_scan(n)
    data = dataset(scan)
    for number in range(0, len(data), 7):
        sample, members = data[number], data.groups.indices[number]
        back = sample.corners + sample.fractions
        expected = scan.positions_px[members]
        np.testing.assert_allclose(back - back[0], expected - expected[0], atol=1e-5)
        np.testing.assert_array_equal(sample.counts, scan.counts(members))
        assert sample.corners.min() >= 0
        assert (sample.corners + n <= np.array(data.canvas_shape)).all()


def test_batches_predict_the_measured_counts_from_the_truth():
    """The frame of a group is that of the scan, moved: the truth cut out there must fit."""
    scan = make_scan(16, noise=False)
    data = dataset(scan)
    batch = collate_groups(data)([data[3]])
    members = data.groups.indices[3]
    start = (np.floor(scan.positions_px[members]) - scan.n // 2).astype(int).min(axis=0)
    side = data.canvas_shape[0]
    canvas = np.ones((side, side), np.complex64)
    cut = scan.truth[start[0] : start[0] + side, start[1] : start[1] + side]
    canvas[: cut.shape[0], : cut.shape[1]] = cut
    predicted = BatchView(batch).predict(torch.from_numpy(canvas)[None])
    torch.testing.assert_close(predicted, batch.counts, rtol=1e-3, atol=1e-2)


def test_batches_say_which_patterns_they_hold():
    scan = make_scan(16)
    data = dataset(scan)
    batch = collate_groups(data)([data[3], data[8]])
    torch.testing.assert_close(batch.members, torch.from_numpy(data.groups.indices[[3, 8]]))
    chosen = BatchView(batch).select(torch.tensor([[2, 0], [1, 3]])).batch
    for part in (batch, chosen, batch.on(torch.device("cpu"))):
        for counts, members in zip(part.counts, part.members, strict=True):
            np.testing.assert_array_equal(counts, scan.counts(members.numpy()))


def test_patterns_stay_on_disk(tmp_path):
    scan = make_scan(16)
    np.save(tmp_path / "p.npy", scan.patterns)
    mapped = dataclasses.replace(scan, patterns=np.load(tmp_path / "p.npy", mmap_mode="r"))
    assert isinstance(GroupDataset(mapped, dataset(mapped).groups).scan.patterns, np.memmap)
    np.testing.assert_array_equal(dataset(mapped)[5].counts, dataset(scan)[5].counts)


def test_normalise_fixes_the_gauge():
    scan = make_scan(16, photons=3e4)
    loud = dataclasses.replace(scan, probe=scan.probe * 17)
    measured = normalise(loud, PhysicsConfig())
    mean = scan.counts().sum(axis=(1, 2)).mean()
    assert measured.pattern_counts == pytest.approx(mean, rel=1e-6)
    assert (np.abs(measured.scan.probe) ** 2).sum() == pytest.approx(mean, rel=1e-4)
    kept = normalise(loud, PhysicsConfig(probe_power="keep"))
    np.testing.assert_array_equal(kept.scan.probe, loud.probe)


def module(scan, **data):
    config = Config(data=DataConfig(**data), training=TrainingConfig(batch_size=3, epoch_steps=5))
    return ScanDataModule(scan, config, 4)


def test_the_holdout_is_never_read():
    """Patterns outside the region may not reach training or validation."""
    scan = make_scan(16)
    limit = float(np.median(scan.positions_px[:, 0]))
    patterns = scan.patterns.copy()
    patterns[scan.positions_px[:, 0] >= limit] = 4_000_000
    data = module(dataclasses.replace(scan, patterns=patterns), region=f"y:0:{limit}")
    for loader in (data.train_dataloader(), data.val_dataloader()):
        assert max(batch.counts.max() for batch in loader) < 1_000_000


def test_epochs_differ_and_repeat():
    data = module(make_scan(16))

    def epoch(number):
        loader = data.train_dataloader()
        loader.sampler.set_epoch(number)
        return torch.cat([batch.counts.sum(dim=(1, 2, 3)) for batch in loader])

    assert len(epoch(0)) == 15
    torch.testing.assert_close(epoch(1), epoch(1))
    assert not torch.equal(epoch(0), epoch(1))


def test_validation_groups_are_kept_apart():
    data = module(make_scan(16), validation_fraction=0.2)
    train = {tuple(row) for row in data.train_groups.groups.indices}
    held = {tuple(row) for row in data.validation_groups.groups.indices}
    assert held
    assert not train & held
    assert module(make_scan(16), validation_fraction=0).val_dataloader() == []


@pytest.mark.parametrize("repeats", [0.4, 1, 3])
def test_repeated_groups_do_not_lead_from_validation_to_training(repeats):
    data = module(make_scan(16), validation_fraction=0.2, groups_per_pattern=repeats)
    train, held = (
        set(groups.groups.indices[:, 0].tolist())
        for groups in (data.train_groups, data.validation_groups)
    )
    assert held
    assert not train & held
    if repeats >= 1:
        assert train | held == set(range(63))


def test_validation_leaves_something_to_train_on():
    data = module(make_scan(16).select(np.arange(4)), validation_fraction=0.9)
    assert len(data.train_groups) == 1


def test_groups_of_training_and_validation_never_mix_scans():
    scan = make_scan(16)
    labels = np.arange(scan.n_patterns) % 2
    data = module(
        dataclasses.replace(scan, scan_index=labels), region="random:0.8", validation_fraction=0.2
    )
    for groups in (data.train_groups, data.validation_groups):
        found = labels[data.indices][groups.groups.indices]
        assert (found == found[:, :1]).all()


def test_the_truth_of_a_group_is_that_of_its_windows():
    scan = make_scan(16)
    groups = group_patterns(scan.positions_px, 4, scan.n_patterns, rng=np.random.default_rng(0))
    data = GroupDataset(scan, groups, with_truth=True)
    batch = collate_groups(data)([data[number] for number in range(len(data))])
    windows = BatchView(batch).extract(batch.truth)
    starts = np.floor(scan.positions_px[groups.indices]).astype(int) - scan.n // 2
    for group in range(len(data)):
        for member, (y, x) in enumerate(starts[group]):
            wanted = scan.truth[y : y + scan.n, x : x + scan.n]
            np.testing.assert_array_equal(windows[group, member].numpy(), wanted)
    assert dataset(scan)[0].truth is None


def test_only_supervised_training_reads_the_truth():
    scan = make_scan(16)
    config = Config(training=TrainingConfig(batch_size=3, objective="supervised"))
    batch = next(iter(ScanDataModule(scan, config, 4).train_dataloader()))
    assert batch.truth.shape == (3, *batch.canvas_shape)
    assert next(iter(module(scan).train_dataloader())).truth is None
