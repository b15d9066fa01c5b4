import numpy as np
import pytest
import torch

from ptychopinn.config import Config, InferenceConfig
from ptychopinn.data.pattern_feed import PatternFeed
from ptychopinn.inference import ScanView, Streaming, reconstruct, whole_canvas
from ptychopinn.inference.canvas_piece import CanvasPiece
from ptychopinn.inference.whole_canvas import canvas_stays_on_host, largest_piece_px
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


@pytest.mark.parametrize("piece_px", [float("inf"), 20 * 20])
def test_an_image_made_in_pieces_shows_no_seam(monkeypatch, piece_px):
    scan = make_scan(32)
    monkeypatch.setattr(whole_canvas, "largest_piece_px", lambda _: piece_px)
    whole, pieces = (
        reconstruct(scan, None, Config(inference=InferenceConfig(**settings, checks=False)))
        for settings in ({"canvas": "device"}, {"canvas": "host", "batch_size": 16})
    )
    # Sums in another order: where little light fell, the last bits weigh more.
    apart = pieces.object - whole.object
    assert np.linalg.norm(apart) < 1e-5 * np.linalg.norm(whole.object)
    assert np.abs(apart).max() < 1e-4 * np.abs(whole.object).max()


def test_no_batch_sees_more_of_the_canvas_than_it_may(scan):
    seen = []
    view = ScanView(scan, Streaming(8, CPU, canvas_on_host=True, piece_px=20 * 20), subsets=2)
    for batch in view._lit(range(len(view._batches.members))):
        piece = CanvasPiece.around(batch.corners, scan.n)
        seen.append(piece.of(view.illumination).numel())
    assert max(seen) <= 20 * 20 < view.illumination.numel() / 2


@pytest.mark.parametrize("cache_bytes", [0, 30_000, 2**30])
def test_reading_ahead_changes_no_bit(scan, monkeypatch, cache_bytes):
    """As a GPU is fed, here with a processor in its place."""
    plain = ScanView(scan, Streaming(8, CPU), subsets=2)
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)
    ahead = ScanView(scan, Streaming(8, CPU, cache_bytes), subsets=2)
    ahead._feed = PatternFeed(scan, CPU, accelerator=True)
    canvas = some_canvas(scan)
    for _ in range(2):
        assert torch.equal(ahead.update(canvas), plain.update(canvas))
    assert ahead.deviance(canvas) == plain.deviance(canvas)


def test_progress_counts_every_pattern_once(scan):
    done = []
    view = ScanView(scan, Streaming(8, CPU), on_batch=done.append)
    view.update(some_canvas(scan))
    assert sum(done) == scan.n_patterns


def test_the_canvas_stays_where_the_setting_says():
    assert canvas_stays_on_host("host", (10, 10), CPU)
    assert not canvas_stays_on_host("device", (10**6, 10**6), CPU)
    assert not canvas_stays_on_host("auto", (10**6, 10**6), CPU)


def test_a_gpu_holds_a_canvas_of_half_its_free_memory_and_pieces_of_the_rest(monkeypatch):
    gpu = torch.device("cuda")
    monkeypatch.setattr(whole_canvas, "free_bytes", lambda _: 240 * 100 * 100)
    assert not canvas_stays_on_host("auto", (100, 100), gpu)
    assert canvas_stays_on_host("auto", (100, 101), gpu)
    assert not canvas_stays_on_host("device", (100, 101), gpu)
    assert largest_piece_px(gpu) == 240 * 100 * 100 / 8 / 16
    monkeypatch.undo()
    assert largest_piece_px(CPU) == float("inf")
