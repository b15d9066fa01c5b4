"""Results held against each other."""

import numpy as np
import pytest

from ptychopinn.errors import ConfigError, DataError
from ptychopinn.scan import Reconstruction
from ptychopinn.side_by_side import Contestant, common_canvas, side_by_side
from tests.conftest import asymmetric_object


def made(image: np.ndarray, **provenance) -> Reconstruction:
    return Reconstruction(
        object=image,
        coverage=np.ones(image.shape, dtype=np.float32),
        probe=np.ones((1, 8, 8), dtype=np.complex64),
        positions_px=np.zeros((3, 2)),
        losses=np.empty(0),
        provenance=provenance,
    )


TRUTH = asymmetric_object((72, 64))


def noisy(sigma: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (TRUTH * np.exp(1j * rng.normal(0, sigma, TRUTH.shape))).astype(np.complex64)


def test_what_no_pattern_can_tell_is_no_difference():
    y, x = np.mgrid[:72, :64]
    turned = TRUTH * 1.3 * np.exp(1j * (0.7 + 0.01 * y - 0.02 * x))
    found = side_by_side(
        [Contestant("a", made(TRUTH)), Contestant("b", made(turned.astype(np.complex64)))]
    )
    (pair,) = found.pairs
    assert (pair["image"], pair["aligned_to"]) == ("b", "a")
    assert pair["phase_rmse_rad"] < 1e-3
    assert pair["frc_half_cycles_per_px"] == 0.5
    np.testing.assert_allclose(found.images[1], found.images[0], atol=5e-3)


def test_the_noisier_one_is_farther_from_the_reference():
    results = [
        Contestant("clean", made(noisy(0.02), seconds=2.0)),
        Contestant("noisy", made(noisy(0.2), seconds=1.0, seconds_in_all=3.0)),
    ]
    found = side_by_side(results, reference=TRUTH)
    clean, poor = found.rows
    assert clean["phase_rmse_rad"] == pytest.approx(0.02, rel=0.2)
    assert poor["phase_rmse_rad"] == pytest.approx(0.2, rel=0.2)
    assert (clean["seconds_in_all"], poor["seconds_in_all"]) == (2.0, 3.0)
    assert clean["deviance"] is None
    assert len(found.images) == 3
    assert len(found.to_dict()["ring_correlations"]) == 3


def test_canvases_are_cut_to_what_all_have():
    assert common_canvas([(100, 90), (98, 95)]) == (slice(0, 98), slice(0, 90))
    with pytest.raises(DataError, match="100 x 90, 80 x 90"):
        common_canvas([(100, 90), (80, 90)])


def test_one_result_wants_a_reference():
    with pytest.raises(ConfigError, match="at least two"):
        side_by_side([Contestant("a", made(TRUTH))])
    assert len(side_by_side([Contestant("a", made(TRUTH))], reference=TRUTH).pairs) == 1
