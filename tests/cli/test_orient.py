"""``ptychopinn orient``: a ranking, and flags that mend the reading."""

import json
import shlex
from dataclasses import replace

import numpy as np
import pytest

from ptychopinn.cli import main as entry
from ptychopinn.cli import orient
from ptychopinn.config import DataConfig
from ptychopinn.io import read_scan


@pytest.fixture(scope="module")
def turned(small_scan, tmp_path_factory):
    """Patterns a quarter turned, with the zero frequency in the corner."""
    with np.load(small_scan) as file:
        arrays = dict(file)
    for key in ("diff3d", "bad_pixels"):
        quarter = np.rot90(arrays[key], axes=(-2, -1))
        arrays[key] = np.fft.ifftshift(quarter, axes=(-2, -1)).copy()
    path = tmp_path_factory.mktemp("turned") / "turned.npz"
    np.savez(path, **arrays)
    return path


def call(*arguments):
    return entry.main([str(argument) for argument in arguments])


def test_flags_of_a_turned_scan_bring_it_back(small_scan, turned, capsys):
    assert call("orient", turned, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["decision"] == "clear"
    words = shlex.split(answer["flags"])
    flags = dict(zip(words[::2], words[1::2], strict=True))
    assert flags == {"--orientation": "rot270", "--zero-frequency": "corner"}
    data = DataConfig(**{key[2:].replace("-", "_"): value for key, value in flags.items()})
    found, wanted = read_scan(turned, data), read_scan(small_scan)
    np.testing.assert_array_equal(np.asarray(found.patterns), np.asarray(wanted.patterns))
    np.testing.assert_array_equal(found.positions_px, wanted.positions_px)


def test_turns_that_were_given_are_counted(turned, capsys):
    """Under one wrong turn the answer is still the turn of what is stored."""
    assert call("orient", turned, "--orientation", "fliplr") == 0
    out = capsys.readouterr().out
    assert "winner: rot270" in out
    assert f"ptychopinn reconstruct {turned} --orientation rot270" in out


@pytest.mark.parametrize(("decision", "said"), [("unclear", "leads by"), ("twins", "twins")])
def test_no_winner_is_exit_code_1(small_scan, capsys, monkeypatch, decision, said):
    found = orient.rank_orientations(read_scan(small_scan), device="cpu")
    undecided = replace(found, decision=decision)
    monkeypatch.setattr(orient, "rank_orientations", lambda *_, **__: undecided)
    assert call("orient", small_scan) == 1
    out = capsys.readouterr().out
    assert "no winner" in out
    assert said in out
    assert "next:" not in out
    assert call("orient", small_scan, "--json") == 1
    assert json.loads(capsys.readouterr().out)["flags"] is None
