import numpy as np
import pytest
import torch

from ptychopinn.axes import require_axes
from ptychopinn.errors import ShapeError


def test_sizes_behind_the_letters():
    assert require_axes("a", np.zeros((2, 5, 5)), "K N N", kind="real") == {"K": 2, "N": 5}
    assert require_axes("a", torch.zeros(1, 4), "B|1 C", B=3)["C"] == 4


@pytest.mark.parametrize(
    ("array", "axes", "kind"),
    [
        (np.zeros((2, 5, 4)), "K N N", "any"),
        (np.zeros((5, 5)), "K N N", "any"),
        (np.zeros((2, 5, 5)), "K N N", "complex"),
        (np.zeros((2, 5, 5), complex), "K N N", "real"),
    ],
)
def test_refusal_names_expected_and_found(array, axes, kind):
    with pytest.raises(
        ShapeError, match=r"thing: expected \(K, N, N\).*got \(.*\) (float|complex)"
    ):
        require_axes("thing", array, axes, kind=kind)


def test_known_sizes_are_held():
    with pytest.raises(ShapeError, match="with K=3"):
        require_axes("a", np.zeros((2, 5)), "K N", K=3)
