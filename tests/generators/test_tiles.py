import numpy as np
import pytest
import torch

from ptychopinn.config import UnrolledConfig
from ptychopinn.generators import correction, unrolled
from ptychopinn.generators.canvas_network import CanvasNetwork
from ptychopinn.generators.tiles import tiles
from ptychopinn.inference import ScanView, Streaming
from tests.conftest import make_scan


@pytest.mark.parametrize("shape", [(64, 64), (65, 64), (200, 130)])
def test_tiles_answer_for_every_pixel_once(shape):
    count = np.zeros(shape)
    for tile in tiles(shape, 64, 16):
        count[tile.inner] += 1
        seen = np.zeros(shape)
        seen[tile.outer] = 1
        assert seen[tile.outer][tile.inside].shape == count[tile.inner].shape
        np.testing.assert_array_equal(np.argwhere(seen)[0], [s.start for s in tile.outer])
    assert (count == 1).all()


def test_a_canvas_that_fits_is_one_tile():
    assert len(list(tiles((64, 50), 64, 16))) == 1


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_no_pixel_sees_beyond_the_halo(depth):
    torch.manual_seed(0)
    network = CanvasNetwork(2, 4, depth)
    torch.nn.init.normal_(network.unfold.weight)
    side = 4 * network.halo_px
    x = torch.randn(1, 2, side, side, requires_grad=True)
    middle = side // 2 + 1
    network(x)[0, :, middle, middle].sum().backward()
    touched = torch.nonzero(x.grad[0].abs().sum(dim=0))
    reach = int((touched - middle).abs().max())
    assert 0.3 * network.halo_px < reach <= network.halo_px
    assert network.halo_px % network.multiple_px == 0


def test_seams_are_invisible(monkeypatch):
    torch.manual_seed(0)
    scan = make_scan(16)
    solver = unrolled.Unrolled(UnrolledConfig(stages=2, networks=2, width=4, depth=2)).eval()
    for network in solver.networks:
        torch.nn.init.normal_(network.unfold.weight, std=0.1)
    view = ScanView(scan, Streaming(8, torch.device("cpu")), subsets=solver.subsets)
    with torch.inference_mode():
        whole = solver(view)
        monkeypatch.setattr(correction, "TILE_PX", 16)
        tiled = solver(view)
    assert len(list(tiles(scan.canvas_shape, 16, 8))) > 4
    assert (tiled - whole).abs().max() < 1e-5 * whole.abs().max()
