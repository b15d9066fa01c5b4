import pytest
import torch

from ptychopinn.errors import ShapeError
from ptychopinn.physics.canvas import _add_by_index, _add_by_slices, extract_patches, place_patches


def test_extract_reads_rows_before_columns():
    canvas = torch.arange(5 * 7, dtype=torch.float32).reshape(1, 5, 7)
    patch = extract_patches(canvas, torch.tensor([[[2, 3]]]), 2)[0, 0]
    assert patch.tolist() == [[17.0, 18.0], [24.0, 25.0]]


def test_place_adds_where_windows_overlap():
    patches = torch.ones(1, 2, 2, 2)
    canvas = place_patches(patches, torch.tensor([[[0, 0], [1, 1]]]), (3, 4))[0]
    assert canvas.tolist() == [[1, 1, 0, 0], [1, 2, 1, 0], [0, 1, 1, 0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_both_ways_of_adding_agree(dtype):
    patches = torch.randn(2, 6, 5, 5).to(dtype)
    corners = torch.randint(0, 8, (2, 6, 2))
    one, two = (torch.zeros(2, 13, 15, dtype=dtype) for _ in range(2))
    _add_by_slices(one, patches, corners)
    _add_by_index(two, patches, corners)
    torch.testing.assert_close(one, two)


def test_place_into_a_given_canvas():
    patches = torch.randn(1, 3, 4, 4, dtype=torch.complex64)
    corners = torch.tensor([[[0, 0], [2, 1], [3, 3]]])
    out = torch.ones(1, 8, 9, dtype=torch.complex64)
    place_patches(patches, corners, (8, 9), out=out)
    torch.testing.assert_close(out, 1 + place_patches(patches, corners, (8, 9)))


@pytest.mark.parametrize("corner", [(-1, 0), (0, -1), (4, 0), (0, 6)])
def test_windows_outside_are_refused(corner):
    corners = torch.tensor([[corner]])
    with pytest.raises(ShapeError, match="windows of 2 px inside 5 x 7"):
        extract_patches(torch.zeros(1, 5, 7), corners, 2)
    with pytest.raises(ShapeError, match="windows of 2 px inside 5 x 7"):
        place_patches(torch.zeros(1, 1, 2, 2), corners, (5, 7))
