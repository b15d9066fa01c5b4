"""``ptychopinn check``, and the quick form of it before a run."""

import json

import numpy as np
import pytest

from ptychopinn.bundle import load_bundle
from ptychopinn.cli import main as entry
from ptychopinn.preflight.checks import CHECKS


@pytest.fixture(scope="module")
def mirrored(small_scan, tmp_path_factory):
    with np.load(small_scan) as file:
        arrays = dict(file)
    for key in ("diff3d", "bad_pixels"):
        arrays[key] = arrays[key][..., ::-1].copy()
    path = tmp_path_factory.mktemp("mirrored") / "mirrored.npz"
    np.savez(path, **arrays)
    return path


def call(*arguments):
    return entry.main([str(argument) for argument in arguments])


def test_table_of_a_good_scan(small_scan, capsys):
    assert call("check", small_scan) == 0
    out = capsys.readouterr().out
    assert "overlap" in out
    assert "0 that spoil the image" in out


def test_json_of_a_mirrored_scan(mirrored, capsys):
    assert call("check", mirrored, "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "fail"
    assert len(answer["checks"]) == len(CHECKS)
    failed = [found for found in answer["checks"] if found["verdict"] == "fail"]
    assert [found["name"] for found in failed] == ["orientation"]
    assert "ptychopinn orient" in failed[0]["remedy"]
    assert call("check", mirrored, "--json", "--orientation", "fliplr") == 0


def test_missing_file_is_refused(tmp_path, capsys):
    assert call("check", tmp_path / "no.npz") == 2
    assert "no.npz" in capsys.readouterr().err


def test_reconstruction_keeps_the_checks(mirrored, tmp_path, capsys):
    options = ("--stages", 1, "--inference.checks", "false", "-o", tmp_path / "out")
    assert call("reconstruct", mirrored, *options) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("fail: ")]
    assert len(said) == 1
    assert "orientation" in said[0]
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    checks = {found["name"]: found for found in metrics["provenance"]["checks"]}
    assert len(checks) == len(CHECKS)
    assert checks["orientation"]["verdict"] == "fail"
    assert checks["overlap"].keys() == {"name", "verdict", "found", "remedy"}


def test_training_keeps_the_checks(small_scan, tmp_path, capsys):
    options = ("--max-steps", 1, "--orientation", "stored", "-o", tmp_path / "out")
    assert call("train", small_scan, *options) == 0
    assert "fail: " not in capsys.readouterr().out
    kept = load_bundle(tmp_path / "out").statistics["checks"]
    assert {found["verdict"] for found in kept} <= {"pass", "warn"}
    assert len(kept) == len(CHECKS)
