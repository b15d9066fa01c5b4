import numpy as np
import pytest

from ptychopinn.cli import simulate as command
from ptychopinn.cli.main import main
from ptychopinn.config import SimulationConfig
from ptychopinn.errors import DataError
from ptychopinn.io import read_scan
from ptychopinn.simulation import simulate
from ptychopinn.simulation.streamed import StreamedPatterns
from ptychopinn.simulation.synthesis import prepare

SETTINGS = SimulationConfig(n=32, patterns=1500, photons=1e4)


def test_slices_give_the_patterns_of_a_scan_in_memory_and_again():
    streamed, whole = StreamedPatterns(prepare(SETTINGS)), simulate(SETTINGS).patterns
    assert streamed.shape == whole.shape
    for _ in range(2):
        cuts = [streamed[a : a + 400] for a in range(0, 1500, 400)]
        np.testing.assert_array_equal(np.concatenate(cuts), whole)


def test_a_slice_out_of_order_is_refused():
    with pytest.raises(DataError, match="wanted one from 0"):
        _ = StreamedPatterns(prepare(SETTINGS))[5:8]


def test_a_large_scan_is_written_without_being_held(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "MOST_IN_MEMORY", 0)
    arguments = ["-o", f"{tmp_path}/scan.npz", "--n", "32", "--patterns", "300", "--seed", "3"]
    assert main(["simulate", *arguments]) == 0
    expected = simulate(SimulationConfig(n=32, patterns=300, seed=3))
    found = read_scan(tmp_path / "scan.npz")
    np.testing.assert_array_equal(found.counts(), expected.counts())
    np.testing.assert_array_equal(found.truth, expected.truth)
