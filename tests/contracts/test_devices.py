"""A GPU answers as the processor does: a reconstruction, a step of training, patterns in batches.

The processor is held against itself as well, so that the tests are tested where no GPU is.
"""

import numpy as np
import pytest
import torch

from ptychopinn.config import (
    Config,
    DataConfig,
    GeneratorConfig,
    InferenceConfig,
    PieConfig,
    RefinementConfig,
    TrainingConfig,
    UnrolledConfig,
)
from ptychopinn.data import GroupDataset, collate_groups, group_patterns
from ptychopinn.data.pattern_feed import PatternFeed
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.inference import reconstruct
from ptychopinn.model import PtychoModule
from ptychopinn.training import train
from tests.conftest import make_scan

SMALL = UnrolledConfig(stages=4, networks=2, width=8, depth=2)
CPU = torch.device("cpu")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU is here")
    return request.param


@pytest.fixture(scope="module")
def scan():
    mask = np.ones((32, 32), dtype=bool)
    mask[3, 4:9] = False
    return make_scan(32, modes=2, mask=mask)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int32", "float32", "float64"])
def test_patterns_arrive_with_the_same_bits(device, dtype):
    scan = make_scan(16, photons=2e4)
    scan = type(scan)(
        patterns=np.minimum(scan.patterns, 250).astype(dtype),
        **{name: getattr(scan, name) for name in ("positions_px", "probe", "mask", "canvas_shape")},
    )
    parts = [np.arange(7), np.arange(7, 20), np.arange(3)]
    feed, other = PatternFeed(scan, torch.device(device)), PatternFeed(scan, CPU)
    for part, block in zip(parts, feed.blocks(parts), strict=True):
        assert torch.equal(feed.amplitude(block).cpu(), other.amplitude_of(part))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"cache_mb": 0, "batch_size": 20},
        {"canvas": "host", "batch_size": 20},
        {"generator": "pie"},
        {"refine": True},
    ],
    ids=str,
)
def test_a_reconstruction_is_the_same(device, scan, settings):
    rest = dict(settings)
    name, refine = rest.pop("generator", "unrolled"), rest.pop("refine", False)

    def made(where):
        return reconstruct(
            scan,
            None,
            Config(
                generator=GeneratorConfig(name=name, pie=PieConfig(stages=10)),
                refinement=RefinementConfig(refine_probe=refine, refine_sweeps=2),
                inference=InferenceConfig(device=where, **rest),
            ),
        )

    here, there = made("cpu"), made(device)
    apart = there.object - here.object
    # Convolutions of a GPU round to TF32.
    assert np.linalg.norm(apart) < 1e-3 * np.linalg.norm(here.object)
    np.testing.assert_allclose(there.coverage, here.coverage, atol=1e-5)
    np.testing.assert_allclose(there.probe, here.probe, atol=1e-3 * np.abs(here.probe).max())
    assert there.quality == pytest.approx(here.quality, rel=2e-2)
    np.testing.assert_allclose(
        there.pattern_fit.deviance, here.pattern_fit.deviance, rtol=2e-2, atol=1e-3
    )


@pytest.mark.parametrize("name", ["unrolled", "cnn"])
def test_a_step_of_training_has_the_same_gradients(device, scan, name):
    groups = group_patterns(scan.positions_px, 4, 4, rng=np.random.default_rng(0))
    dataset = GroupDataset(scan, groups)
    batch = collate_groups(dataset)([dataset[number] for number in range(3)])

    def step(where):
        torch.manual_seed(0)
        config = GeneratorConfig(name=name, unrolled=SMALL)
        generator = build_generator(config, GeneratorSize(scan.n, 4))
        module = PtychoModule(generator, TrainingConfig(), lambda: 0.0).to(where)
        loss, _ = module._judge(batch.on(torch.device(where)), torch.Generator().manual_seed(0))
        loss.backward()
        flat = [p.grad.flatten().cpu() for p in module.parameters() if p.grad is not None]
        return float(loss.detach()), torch.cat(flat)

    (loss, gradient), (loss_there, gradient_there) = step("cpu"), step(device)
    assert loss_there == pytest.approx(loss, rel=1e-3)
    assert (gradient_there - gradient).norm() < 1e-2 * gradient.norm()


REFINED = RefinementConfig(
    refine_probe=True, refine_positions="points", refine_sweeps=1, refine_while_training=True
)


@pytest.mark.parametrize("refinement", [RefinementConfig(), REFINED], ids=["frozen", "refined"])
def test_a_training_runs_to_its_end(device, scan, tmp_path, refinement):
    def run(where):
        training = TrainingConfig(max_steps=1, epoch_steps=1, logger="none", device=where)
        config = Config(
            data=DataConfig(group_size=4),
            generator=GeneratorConfig(unrolled=SMALL),
            training=training,
            refinement=refinement,
        )
        return train(scan, config, tmp_path / where)

    here, there = run("cpu"), run(device)
    assert there.history[-1]["train_loss"] == pytest.approx(
        here.history[-1]["train_loss"], rel=1e-3
    )
    for value in there.generator.state_dict().values():
        assert torch.isfinite(value).all()
