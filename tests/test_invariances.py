"""What must not matter to an image: dose, global phase, order, place, and how all of it is turned.

Whole sweeps (`pie`) know nothing of order or axes. They are not exact all the same: where a model
is dark and a photon was counted, rounding chooses the phase. The shipped weights take their steps
over subsets along a curve on the canvas, and their networks were trained on images of every kind
but not on all their turns: the bounds say how little that matters.
"""

from dataclasses import replace

import numpy as np
import pytest

from ptychopinn.config import Config, GeneratorConfig, InferenceConfig, PieConfig
from ptychopinn.evaluation import compare
from ptychopinn.inference import reconstruct
from ptychopinn.scan import Scan
from ptychopinn.symmetry import ORIENTATIONS, Turn
from tests.conftest import make_scan

#: Largest 1 - |<a, b>| / (|a| |b|) of two images; 1e-4 are 1.4 % of the amplitude.
SAME = {"pie": 1e-4, "unrolled": 1e-3}
TURNED = {"pie": 1e-4, "unrolled": 6e-3}
METHODS = ("pie", "unrolled")


@pytest.fixture(scope="module")
def scan() -> Scan:
    """Odd N: the zero frequency stays in the middle, however a pattern is turned."""
    return make_scan(33, photons=1e6, side=8)


def image(scan: Scan, method: str) -> tuple[np.ndarray, np.ndarray]:
    generator = GeneratorConfig(name=method, pie=PieConfig(stages=6))
    config = Config(generator=generator, inference=InferenceConfig(checks=False, threads=1))
    result = reconstruct(scan, None, config)
    return result.object, result.coverage


def difference(one: np.ndarray, other: np.ndarray, coverage: np.ndarray) -> float:
    seen, again = (values[coverage > 0.1].astype(np.complex128) for values in (one, other))
    return 1 - abs(np.vdot(seen, again)) / (np.linalg.norm(seen) * np.linalg.norm(again))


@pytest.mark.parametrize("method", METHODS)
def test_scale_of_the_counts(scan, method):
    """Ten times the photons: the probe is scaled, the object is the same."""
    counts = np.asarray(scan.counts()).astype(np.float32)
    clean = replace(scan, patterns=counts, domain="counts")
    brighter = replace(clean, patterns=10 * counts)
    (one, coverage), (other, _) = image(clean, method), image(brighter, method)
    # The networks are told the dose: what they take for noise is less when there is more light.
    assert difference(one, other, coverage) < 2 * SAME[method]


@pytest.mark.parametrize("method", METHODS)
def test_global_phase_of_the_probe(scan, method):
    turned = replace(scan, probe=(scan.probe * np.exp(1.1j)).astype(np.complex64))
    (one, coverage), (other, _) = image(scan, method), image(turned, method)
    assert difference(one, other, coverage) < SAME[method]


@pytest.mark.parametrize("method", METHODS)
def test_order_of_the_patterns(scan, method):
    order = np.random.default_rng(5).permutation(scan.n_patterns)
    (one, coverage), (other, _) = image(scan, method), image(scan.select(order), method)
    assert difference(one, other, coverage) < 1e-6


@pytest.mark.parametrize("method", METHODS)
def test_a_shift_of_the_scan(scan, method):
    """Whole pixels: the image moves along."""
    height, width = scan.canvas_shape
    moved = replace(
        scan,
        positions_px=scan.positions_px + np.array([16, 32]),
        canvas_shape=(height + 16, width + 32),
        truth=None,
    )
    (one, coverage), (other, _) = image(scan, method), image(moved, method)
    # By the cell of the networks' lowest level, so that they fold the canvas in the same way.
    assert difference(one, other[16:, 32:], coverage) < (1e-8 if method == "pie" else SAME[method])


def everything_turned(scan: Scan, turn: Turn) -> Scan:
    """The same experiment, seen from another side."""
    middle = (np.array(scan.canvas_shape) - 1) / 2
    height, width = turn.of_images(np.empty(scan.canvas_shape)).shape
    positions = turn.of_vectors(scan.positions_px - middle) + (np.array([height, width]) - 1) / 2
    return replace(
        scan,
        patterns=np.ascontiguousarray(turn.of_images(scan.counts())),
        probe=np.ascontiguousarray(turn.of_images(scan.probe)),
        mask=np.ascontiguousarray(turn.of_images(scan.mask)),
        positions_px=positions,
        canvas_shape=(height, width),
        truth=None,
    )


@pytest.mark.parametrize("name", [name for name in ORIENTATIONS if name != "stored"])
@pytest.mark.parametrize("method", METHODS)
def test_mirror_and_rotation_of_everything(scan, method, name):
    turn = ORIENTATIONS[name]
    turned = everything_turned(scan, turn)
    (one, coverage), (other, _) = image(scan, method), image(turned, method)
    assert difference(turn.of_images(one), other, turn.of_images(coverage)) < TURNED[method]


def test_the_measure_sees_a_difference(scan):
    one, coverage = image(scan, "pie")
    assert difference(one, one.conj(), coverage) > 0.01
    assert compare(one, one, coverage).metrics.phase.rmse < 1e-6
