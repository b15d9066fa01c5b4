"""Every registered generator: one suite over shapes, gradients, masks and saved weights."""

import functools
from itertools import product
from typing import NamedTuple, get_args, get_type_hints

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from ptychopinn.canvases import reconstruct_batch
from ptychopinn.config import CnnConfig, FnoConfig, GeneratorConfig, PieConfig, UnrolledConfig
from ptychopinn.data import GroupDataset, collate_groups, group_patterns
from ptychopinn.errors import ConfigError
from ptychopinn.generators import (
    CanvasGenerator,
    GeneratorSize,
    build_generator,
    generator_names,
    registration,
)
from ptychopinn.generators.spectral import HAS_NEURALOPERATOR
from ptychopinn.physics.view import BatchView
from tests.conftest import make_scan

SMALL = UnrolledConfig(stages=4, networks=2, width=8, depth=2)
SMALL_FNO = FnoConfig(width=4, modes=5, blocks=2, refiner_blocks=1, levels=2, most_channels=6)
PIE = PieConfig(stages=3)
OF_CANVASES = ("pie", "unrolled")
HINTS = get_type_hints(GeneratorConfig)
LIFTS, HEADS, TRANSFORMS = (get_args(HINTS[k]) for k in ("lift", "head", "input_transform"))


class Case(NamedTuple):
    name: str
    lift: str = "none"
    head: str = "amp_phase"
    transform: str = "none"

    def __str__(self):
        return "-".join(self)


def cases(patch_inputs, canvases=()):
    patches = [name for name in generator_names() if name not in OF_CANVASES]
    combined = [Case(name, *rest) for name in patches for rest in patch_inputs]
    marks = {"uno": pytest.mark.skipif(not HAS_NEURALOPERATOR, reason="uno needs neuralop")}
    return [
        pytest.param(case, id=str(case), marks=marks.get(case.name, ()))
        for case in (*map(Case, canvases), *combined)
    ]


# Both lifts and both heads through the whole suite, every combination through the essential test.
PAIRS = (("none", "amp_phase"), ("backprojection", "real_imag"))
each_generator = pytest.mark.parametrize("case", cases(PAIRS, OF_CANVASES))
each_patch_network = pytest.mark.parametrize("case", cases(PAIRS))
each_combination = pytest.mark.parametrize("case", cases([*product(LIFTS, HEADS, TRANSFORMS)]))


def fresh(case, n=32, size=4, seed=1):
    torch.manual_seed(seed)
    config = GeneratorConfig(
        name=case.name,
        lift=case.lift,
        head=case.head,
        input_transform=case.transform,
        cnn=CnnConfig(width=0.5),
        fno=SMALL_FNO,
        unrolled=SMALL,
        pie=PIE,
    )
    return build_generator(config, GeneratorSize(n, size))


def build(case, n=32, size=4):
    generator = fresh(case, n, size)
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


# Nobody changes a batch in place; a new one takes longer than most networks here.
same_batch = functools.cache(batch)


@each_generator
@pytest.mark.parametrize("modes", [1, 3])
def test_canvas_shape_kind_and_finiteness(case, modes):
    given = same_batch(modes=modes)
    canvas = reconstruct_batch(build(case), BatchView(given))
    assert canvas.shape == (2, *given.canvas_shape)
    assert canvas.dtype == torch.complex64
    assert torch.isfinite(torch.view_as_real(canvas)).all()
    assert canvas.abs().max() > 0.1


@each_generator
def test_patches_have_the_shape_of_the_patterns(case):
    generator = build(case)
    if isinstance(generator, CanvasGenerator):
        assert generator.stages == (PIE.stages if case.name == "pie" else SMALL.stages)
        return
    view = BatchView(same_batch())
    patches = generator(view)
    assert patches.shape == view.batch.counts.shape
    assert patches.dtype == torch.complex64
    assert generator.frame in ("window", "probe")


@each_generator
def test_every_weight_receives_a_gradient(case):
    generator = build(case)
    view = BatchView(same_batch())
    canvas = reconstruct_batch(generator, view)
    (view.predict(canvas) - view.batch.counts).square().mean().backward()
    for key, parameter in generator.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        used = parameter.grad.abs().sum() > 0
        first_momentum = key == "momentum"
        assert used or first_momentum, key


@each_generator
def test_groups_of_a_batch_do_not_mix(case):
    """Trap: a probe broadcast over the batch. Each group alone gives the same answer."""
    generator, given = build(case), same_batch(groups=3)
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
def test_saved_and_loaded_weights_answer_the_same(case):
    generator, view = build(case), BatchView(same_batch())
    twin = fresh(case, seed=2)
    twin.load_state_dict(load(save(generator.state_dict())))
    expected = reconstruct_batch(generator, view)
    torch.testing.assert_close(reconstruct_batch(twin, view), expected)


@each_generator
@pytest.mark.parametrize("photons", [1e4, 1e6, 1e9])
def test_the_answer_hardly_depends_on_the_photon_number(case, photons):
    """Trap: data that is not scaled. Inputs are in the gauge, so noise-free counts scale out."""
    generator = build(case)
    first = reconstruct_batch(generator, BatchView(same_batch(photons=1e7, noise=False)))
    answer = reconstruct_batch(generator, BatchView(same_batch(photons=photons, noise=False)))
    lit = first.abs() > 0.05
    difference = (answer - first)[lit].abs().mean()
    assert difference < 0.05


@each_generator
@pytest.mark.parametrize("trouble", ["dark pattern", "saturated pixel", "same position"])
def test_awkward_patterns_have_a_finite_outcome(case, trouble):
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
    canvas = reconstruct_batch(build(case), BatchView(changed))
    assert torch.isfinite(torch.view_as_real(canvas)).all()


@pytest.mark.parametrize("name", [n for n in generator_names() if registration(n).any_size])
@pytest.mark.parametrize("n", [15, 24, 33])
def test_any_size_serves_any_n(name, n):
    given = batch(n=n, size=5)
    canvas = reconstruct_batch(build(Case(name)), BatchView(given))
    assert canvas.shape == (2, *given.canvas_shape)


@each_generator
def test_bad_pixels_have_no_say(case):
    mask = np.ones((32, 32), dtype=bool)
    mask[3:6, 10:20] = mask[16, 16] = False
    given = batch(mask=mask)
    generator = build(case)
    expected = reconstruct_batch(generator, BatchView(given))
    poisoned = given.counts.clone()
    poisoned[..., ~torch.from_numpy(mask)] = 1e9
    answer = reconstruct_batch(generator, BatchView(given._replace(counts=poisoned)))
    torch.testing.assert_close(answer, expected)


@each_combination
def test_every_combination_answers_and_learns(case):
    """From the start, not only away from it: a last layer of zeros would stop all before it."""
    generator, view = fresh(case), BatchView(same_batch())
    canvas = reconstruct_batch(generator, view)
    assert torch.isfinite(torch.view_as_real(canvas)).all()
    (view.predict(canvas) - view.batch.counts).square().mean().backward()
    for key, parameter in generator.named_parameters():
        assert torch.isfinite(parameter.grad).all(), key
        assert parameter.grad.abs().sum() > 0, key


@each_patch_network
def test_the_size_is_kept_where_networks_take_it(case):
    """N = 64 and C = 1: weights and channels follow the size of the data."""
    given = batch(n=64, size=1, side=3)
    patches = build(case, n=64, size=1)(BatchView(given))
    assert patches.shape == (2, 1, 64, 64)
    assert torch.isfinite(torch.view_as_real(patches)).all()


def test_unknown_names_list_the_known():
    known = ", ".join(generator_names())
    assert known == "cnn, ffno, fno, fno_vanilla, hybrid, pie, uno, unrolled"
    with pytest.raises(ConfigError, match=f"did you mean 'unrolled'.*{known}"):
        build_generator(GeneratorConfig(name="unroled"), GeneratorSize(32, 4))


@pytest.mark.parametrize("n", [60, 100])
def test_cnn_refuses_sizes_without_a_ladder(n):
    with pytest.raises(ConfigError, match=f"got N = {n}.*unrolled"):
        build_generator(GeneratorConfig(name="cnn"), GeneratorSize(n, 4))


@each_patch_network
def test_half_precision_changes_little_and_leaves_physics_alone(case):
    generator = build(case)
    if not generator.knows_half_precision:
        assert case.name == "uno"
        return
    view = BatchView(batch())
    wanted = generator(view)
    generator.half_precision = True
    found = generator(view)
    assert found.dtype == torch.complex64
    difference = (found - wanted).abs().mean() / wanted.abs().mean()
    assert 0 < difference < 0.03
    found.abs().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in generator.parameters())
    assert {p.dtype for p in generator.parameters()} <= {torch.float32, torch.complex64}
