import numpy as np
import pytest

from ptychopinn.errors import ShapeError
from ptychopinn.report import Refinement, draw_refinement, refinement_of
from ptychopinn.report.refinement import _magnification
from ptychopinn.scan import Reconstruction
from tests.conftest import smooth_probe


def places(count=60):
    rng = np.random.default_rng(0)
    before = rng.uniform(20, 180, (count, 2))
    return before, before + rng.normal(0, 0.3, before.shape)


@pytest.mark.parametrize("probe", [False, True])
@pytest.mark.parametrize("moved", [False, True])
def test_what_was_refined_is_drawn(tmp_path, probe, moved):
    if not (probe or moved):
        return
    change = Refinement(
        smooth_probe(32, 1) if probe else None,
        smooth_probe(32, 3, seed=1) if probe else None,
        *(places() if moved else (None, None)),
    )
    path = draw_refinement(change, tmp_path / "refinement.png")
    assert path.stat().st_size > 5000


def test_only_what_was_refined_is_taken_from_a_reconstruction():
    image, (before, after) = np.ones((200, 200), np.complex64), places()
    made = Reconstruction(
        image, np.abs(image), smooth_probe(32, 1), after, np.empty(0), start_positions_px=before
    )
    change = refinement_of(made)
    assert change.before is change.after is None
    np.testing.assert_array_equal(change.places_before_px, before)
    np.testing.assert_array_equal(change.places_after_px, after)


@pytest.mark.parametrize(("typical", "factor"), [(0.1, 50), (3, 2), (50, 1), (0, 1000)])
def test_arrows_are_magnified_until_they_meet(typical, factor):
    assert _magnification(6.0, typical) == factor


def test_positions_that_do_not_belong_together_are_refused(tmp_path):
    before, after = places()
    with pytest.raises(ShapeError, match="positions after"):
        draw_refinement(Refinement(None, None, before, after[:3]), tmp_path / "r.png")
