"""Every registered generator: one suite over shapes, gradients, masks and saved weights."""

import numpy as np
import pytest
import torch

from ptychopinn.config import GeneratorConfig, UnrolledConfig
from ptychopinn.data import GroupDataset, collate_groups, group_patterns
from ptychopinn.errors import ConfigError
from ptychopinn.generators import (
    CanvasGenerator,
    GeneratorSize,
    build_generator,
    generator_names,
    registration,
)
from ptychopinn.model import reconstruct_batch
from ptychopinn.physics.view import BatchView
from tests.conftest import make_scan

SMALL = UnrolledConfig(stages=4, width=8, depth=2)
CASES = [
    (name, lift)
    for name in generator_names()
    for lift in (("none", "backprojection") if name == "cnn" else ("none",))
]
each_generator = pytest.mark.parametrize(("name", "lift"), CASES, ids=str)


def build(name, lift, n=32, size=4):
    torch.manual_seed(1)
    config = GeneratorConfig(name=name, lift=lift, unrolled=SMALL)
    generator = build_generator(config, GeneratorSize(n, size))
    with torch.no_grad():
        # A network whose last layer starts at zero must not pass by answering nothing.
        for parameter in generator.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return generator


def batch(n=32, size=4, groups=2, **options):
    scan = make_scan(n, **options)
    rng = np.random.default_rng(0)
    data = GroupDataset(scan, group_patterns(scan.positions_px, size, 10, rng=rng))
    return collate_groups(data)([data[number] for number in range(groups)])


@each_generator
@pytest.mark.parametrize("modes", [1, 3])
def test_canvas_shape_kind_and_finiteness(name, lift, modes):
    given = batch(modes=modes)
    canvas = reconstruct_batch(build(name, lift), BatchView(given))
    assert canvas.shape == (2, *given.canvas_shape)
    assert canvas.dtype == torch.complex64
    assert torch.isfinite(torch.view_as_real(canvas)).all()
    assert canvas.abs().max() > 0.1


@each_generator
def test_patches_have_the_shape_of_the_patterns(name, lift):
    generator = build(name, lift)
    if isinstance(generator, CanvasGenerator):
        assert generator.stages == SMALL.stages
        return
    view = BatchView(batch())
    patches = generator(view)
    assert patches.shape == view.batch.counts.shape
    assert patches.dtype == torch.complex64
    assert generator.frame in ("window", "probe")


@each_generator
def test_every_weight_receives_a_gradient(name, lift):
    generator = build(name, lift)
    view = BatchView(batch())
    canvas = reconstruct_batch(generator, view)
    (view.predict(canvas) - view.batch.counts).square().mean().backward()
    for key, parameter in generator.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        used = parameter.grad.abs().sum() > 0
        first_momentum = key == "momentum"
        assert used or first_momentum, key


@each_generator
def test_groups_of_a_batch_do_not_mix(name, lift):
    """Trap: a probe broadcast over the batch. Each group alone gives the same answer."""
    generator, given = build(name, lift), batch(groups=3)
    together = reconstruct_batch(generator, BatchView(given))
    for number in range(3):
        part = slice(number, number + 1)
        alone = given._replace(
            counts=given.counts[part],
            corners=given.corners[part],
            fractions=given.fractions[part],
        )
        answer = reconstruct_batch(generator, BatchView(alone))
        torch.testing.assert_close(answer[0], together[number], rtol=1e-3, atol=1e-3)


@each_generator
def test_saved_and_loaded_weights_answer_the_same(name, lift):
    generator, view = build(name, lift), BatchView(batch())
    twin = build_generator(
        GeneratorConfig(name=name, lift=lift, unrolled=SMALL), GeneratorSize(32, 4)
    )
    twin.load_state_dict(generator.state_dict())
    expected = reconstruct_batch(generator, view)
    torch.testing.assert_close(reconstruct_batch(twin, view), expected)


@each_generator
@pytest.mark.parametrize("photons", [1e4, 1e6, 1e9])
def test_the_answer_hardly_depends_on_the_photon_number(name, lift, photons):
    """Trap: data that is not scaled. Inputs are in the gauge, so noise-free counts scale out."""
    generator = build(name, lift)
    first = reconstruct_batch(generator, BatchView(batch(photons=1e7, noise=False)))
    answer = reconstruct_batch(generator, BatchView(batch(photons=photons, noise=False)))
    lit = first.abs() > 0.05
    difference = (answer - first)[lit].abs().mean()
    assert difference < 0.05


@each_generator
@pytest.mark.parametrize("trouble", ["dark pattern", "saturated pixel", "same position"])
def test_awkward_patterns_have_a_finite_outcome(name, lift, trouble):
    given = batch()
    counts, corners, fractions = (
        given.counts.clone(),
        given.corners.clone(),
        given.fractions.clone(),
    )
    if trouble == "dark pattern":
        counts[:, 0] = 0
    elif trouble == "saturated pixel":
        counts[0, 0, 5, 6] = 2.0**32
    else:
        corners[:, 1], fractions[:, 1] = corners[:, 0], fractions[:, 0]
    changed = given._replace(counts=counts, corners=corners, fractions=fractions)
    canvas = reconstruct_batch(build(name, lift), BatchView(changed))
    assert torch.isfinite(torch.view_as_real(canvas)).all()


@pytest.mark.parametrize("name", [n for n in generator_names() if registration(n).any_size])
@pytest.mark.parametrize("n", [15, 24, 33])
def test_any_size_serves_any_n(name, n):
    given = batch(n=n, size=5)
    canvas = reconstruct_batch(build(name, "none"), BatchView(given))
    assert canvas.shape == (2, *given.canvas_shape)


@pytest.mark.parametrize("name", [n for n in generator_names() if registration(n).any_size])
def test_bad_pixels_have_no_say(name):
    mask = np.ones((32, 32), dtype=bool)
    mask[3:6, 10:20] = mask[16, 16] = False
    given = batch(mask=mask)
    generator = build(name, "none")
    expected = reconstruct_batch(generator, BatchView(given))
    poisoned = given.counts.clone()
    poisoned[..., ~torch.from_numpy(mask)] = 1e9
    answer = reconstruct_batch(generator, BatchView(given._replace(counts=poisoned)))
    torch.testing.assert_close(answer, expected)


def test_unknown_names_list_the_known():
    with pytest.raises(ConfigError, match=r"did you mean 'unrolled'.*cnn, pie, unrolled"):
        build_generator(GeneratorConfig(name="unroled"), GeneratorSize(32, 4))


@pytest.mark.parametrize("n", [60, 100])
def test_cnn_refuses_sizes_without_a_ladder(n):
    with pytest.raises(ConfigError, match=f"got N = {n}.*unrolled"):
        build_generator(GeneratorConfig(name="cnn"), GeneratorSize(n, 4))
