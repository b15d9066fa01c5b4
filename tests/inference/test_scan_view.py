import pytest
import torch

from ptychopinn.inference import ScanView, Streaming
from ptychopinn.inference.whole_canvas import canvas_stays_on_host
from tests.conftest import make_scan

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def scan():
    return make_scan(16)


def some_canvas(scan):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, *scan.canvas_shape, dtype=torch.complex64, generator=generator)


def test_a_canvas_seen_in_pieces_is_the_same_canvas(scan):
    whole = ScanView(scan, Streaming(8, CPU), subsets=2)
    pieces = ScanView(scan, Streaming(8, CPU, canvas_on_host=True), subsets=2)
    canvas = some_canvas(scan)
    torch.testing.assert_close(pieces.illumination, whole.illumination, rtol=1e-6, atol=1e-4)
    torch.testing.assert_close(
        pieces.update(canvas), whole.update(canvas), rtol=1e-5, atol=1e-5 * scan.probe.real.max()
    )


def test_progress_counts_every_pattern_once(scan):
    done = []
    view = ScanView(scan, Streaming(8, CPU), on_batch=done.append)
    view.update(some_canvas(scan))
    assert sum(done) == scan.n_patterns


def test_the_canvas_stays_where_the_setting_says():
    assert canvas_stays_on_host("host", (10, 10), CPU)
    assert not canvas_stays_on_host("device", (10**6, 10**6), CPU)
    assert not canvas_stays_on_host("auto", (10**6, 10**6), CPU)
