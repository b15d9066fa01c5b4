"""What bad input gets: one sentence, exit code 2, no traceback, nothing half-written."""

import errno
import shutil
import subprocess
import sys

import numpy as np
import pytest

from ptychopinn.bundle import load_pretrained, save_bundle
from ptychopinn.cli import inspect as inspect_command
from ptychopinn.cli import main as entry
from ptychopinn.config import Config
from ptychopinn.io import atomic
from tests.cli.conftest import run
from tests.test_bundle import make_bundle


def refused(answer, *words):
    assert answer.code == 2, answer.err
    lines = [line for line in answer.err.splitlines() if line.startswith("ptychopinn: ")]
    assert len(lines) == 1, answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in lines[0], lines[0]


class Called:
    """Calls the entry point in this process, which is faster, and keeps what it printed."""

    def __init__(self, capsys):
        self._capsys = capsys

    def __call__(self, *arguments):
        self._capsys.readouterr()
        self.code = entry.main([str(argument) for argument in arguments])
        printed = self._capsys.readouterr()
        self.out, self.err = printed.out, printed.err
        return self


@pytest.fixture
def call(capsys):
    return Called(capsys)


def arrays(path):
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


CHANGES = {
    "missing key": (lambda a: a.pop("diff3d"), ["diff3d"]),
    "missing positions": (lambda a: a.pop("xcoords"), ["xcoords"]),
    "wrong rank": (lambda a: a.update(diff3d=a["diff3d"][0]), ["diff3d"]),
    "complex patterns": (lambda a: a.update(diff3d=a["diff3d"].astype(complex)), ["complex"]),
    "not square": (lambda a: a.update(diff3d=a["diff3d"][:, :, :-2]), ["diff3d"]),
    "negative": (lambda a: a.update(diff3d=a["diff3d"].astype(np.int32) - 5), ["negative"]),
    "NaN": (lambda a: a.update(diff3d=np.full(a["diff3d"].shape, np.nan)), ["NaN"]),
    "all zero": (lambda a: a.update(diff3d=a["diff3d"] * 0), ["zero"]),
    "numbers differ": (lambda a: a.update(xcoords=a["xcoords"][:-1]), ["xcoords"]),
    "all equal": (
        lambda a: a.update(xcoords=a["xcoords"] * 0, ycoords=a["ycoords"] * 0),
        ["equal"],
    ),
    "absurd positions": (lambda a: a.update(xcoords=a["xcoords"] * 1e9), ["canvas"]),
    "NaN position": (lambda a: a["xcoords"].__setitem__(3, np.nan), ["xcoords"]),
    "another probe": (lambda a: a.update(probeGuess=a["probeGuess"][..., :8, :8]), ["probe"]),
    "dark probe": (lambda a: a.update(probeGuess=a["probeGuess"] * 0), ["probe"]),
}


@pytest.mark.parametrize("what", CHANGES)
def test_wrong_arrays(what, small_scan, tmp_path, call):
    change, words = CHANGES[what]
    values = arrays(small_scan)
    change(values)
    path = tmp_path / "changed.npz"
    np.savez(path, **values)
    for command in ("inspect", "reconstruct"):
        target = tmp_path / "out"
        options = [] if command == "inspect" else ["-o", target]
        refused(call(command, path, *options), "changed.npz", *words)
        assert not target.exists()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.999])
def test_truncated_file(share, small_scan, tmp_path, call):
    whole = small_scan.read_bytes()
    path = tmp_path / "cut.npz"
    path.write_bytes(whole[: int(share * len(whole))])
    refused(call("inspect", path), "cut.npz")


def test_pickled_arrays_are_not_opened(tmp_path, call):
    path = tmp_path / "evil.npz"
    np.savez(path, diff3d=np.array([{"a": 1}], dtype=object))
    refused(call("inspect", path), "evil.npz")


def test_missing_file_through_the_real_command(tmp_path):
    refused(run("reconstruct", tmp_path / "no.npz", "-o", tmp_path / "out"), "no.npz")
    refused(run("train", tmp_path / "no.npz", "-o", tmp_path / "out"), "no.npz")
    assert not (tmp_path / "out").exists()


def test_n_not_supported(small_scan, tmp_path, call):
    values = arrays(small_scan)
    values["diff3d"] = values["diff3d"][:, 1:-1, 1:-1]
    values["probeGuess"] = values["probeGuess"][..., 1:-1, 1:-1]
    values["bad_pixels"] = values["bad_pixels"][1:-1, 1:-1]
    path = tmp_path / "n30.npz"
    np.savez(path, **values)
    answer = call("train", path, "--generator", "cnn", "-o", tmp_path / "out")
    refused(answer, "N = 30", "unrolled")


def test_flags(small_scan, call):
    refused(call("trian"), "did you mean 'train'")
    refused(call("train"), "scan")
    refused(call("train", small_scan, "--lerning-rate", 1), "--learning-rate")
    refused(call("train", small_scan, "--learning-rate", "fast"), "learning_rate", "fast")
    refused(call("train", small_scan, "--learning-rate", -1), "learning_rate", "-1")
    refused(call("train", small_scan, "--generator", "unroled"), "unrolled")
    refused(call("train", small_scan, "--region", "y:500:600"), "holds no pattern")
    refused(call("simulate"), "output")


def test_unknown_key_in_a_yaml_file(small_scan, tmp_path, call):
    path = tmp_path / "settings.yaml"
    path.write_text("training:\n  lerning_rate: 1\n")
    answer = call("train", small_scan, "--config", path)
    refused(answer, "settings.yaml", "did you mean 'learning_rate'")


def test_bundles(small_scan, tmp_path, call):
    path = tmp_path / "wts.h5.zip"
    options = ["--bundle", path, "-o", tmp_path / "out"]
    refused(call("reconstruct", small_scan, *options), "wts.h5.zip")
    shutil.copy(small_scan, path)
    refused(call("reconstruct", small_scan, *options), "wts.h5.zip", "no whole")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("by_file", [False, True])
def test_another_generator_than_that_of_the_bundle(small_scan, tmp_path, call, by_file):
    """Asking for the default is asking, too."""
    bundle = save_bundle(tmp_path / "wts.h5.zip", make_bundle("cnn"))
    flags = ["--generator", "unrolled"]
    if by_file:
        (tmp_path / "settings.yaml").write_text("generator: {name: unrolled}\n")
        flags = ["--config", tmp_path / "settings.yaml"]
    options = ["--bundle", bundle, "-o", tmp_path / "out", "--checks", "false"]
    refused(call("reconstruct", small_scan, *options, *flags), "unrolled", "wanted cnn")
    assert not (tmp_path / "out").exists()
    assert call("reconstruct", small_scan, *options, "--generator", "cnn").code == 0


def test_another_setting_than_that_of_the_shipped_weights(small_scan, tmp_path, call):
    answer = call("reconstruct", small_scan, "-o", tmp_path / "out", "--networks", 0)
    refused(answer, "generator.unrolled.networks: found 0", "leave out that setting")


def test_the_settings_beside_a_result_repeat_it(small_scan, tmp_path, call):
    options = ["--checks", "false", "--inference.stages", 1]
    first, again = tmp_path / "first", tmp_path / "again"
    assert call("reconstruct", small_scan, "-o", first, *options, "--crop", 24).code == 0
    settings = Config.load(first / "config.yaml")
    assert settings.data.crop == 24
    assert settings.generator == load_pretrained(settings.generator).config.generator
    bundle = save_bundle(tmp_path / "wts.h5.zip", make_bundle("unrolled"))
    cut = [*options, "--crop", 24, "--bundle", bundle]
    assert call("reconstruct", small_scan, "-o", tmp_path / "own", *cut).code == 0
    assert Config.load(tmp_path / "own" / "config.yaml").data.crop == 24
    assert call("reconstruct", small_scan, "-o", again, "--config", first / "config.yaml").code == 0
    assert (again / "config.yaml").read_text() == (first / "config.yaml").read_text()


def test_a_generator_without_weights_is_not_said_to_need_none(small_scan, tmp_path, call):
    answer = call("reconstruct", small_scan, "--generator", "fno", "-o", tmp_path / "out")
    refused(answer, "generator 'fno' wants trained weights; give --bundle FILE")
    assert "needs no training" not in answer.out


@pytest.mark.parametrize("command", ["train", "reconstruct"])
def test_a_mask_that_leaves_one_pixel(small_scan, tmp_path, call, command):
    bad = np.ones((32, 32), dtype=bool)
    bad[16, 16] = False
    np.save(tmp_path / "mask.npy", bad)
    out = tmp_path / "out"
    answer = call(command, small_scan, "--mask", tmp_path / "mask.npy", "-o", out)
    refused(answer, "found 1 good pixels of 1024", "check --mask")
    assert not out.exists()


def test_evaluate(small_scan, tmp_path, call):
    refused(call("evaluate", small_scan, "--reference", small_scan), "scan.npz")
    done = call(
        "reconstruct", small_scan, "-o", tmp_path, "--stages", 1, "--inference.checks", "false"
    )
    assert done.code == 0
    product = tmp_path / "reconstruction.h5"
    refused(call("evaluate", product, "--reference", tmp_path / "no.npz"), "no.npz")
    for region in ("y:10", "y:9000:9100"):
        refused(call("evaluate", product, "--reference", small_scan, "--region", region), "y:")


def test_full_disk_leaves_nothing(small_scan, tmp_path, call, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "out"
    monkeypatch.setattr(atomic.os, "replace", full)
    monkeypatch.setattr(atomic.os, "fsync", full)
    answer = call(
        "reconstruct", small_scan, "-o", target, "--stages", 1, "--inference.checks", "false"
    )
    refused(answer, "space")
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == []


def test_output_over_a_file(small_scan, tmp_path, call):
    place = tmp_path / "file"
    place.write_text("mine")
    answer = call(
        "reconstruct", small_scan, "-o", place, "--stages", 1, "--inference.checks", "false"
    )
    refused(answer, "file")
    assert place.read_text() == "mine"


LONG = "n" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", LONG),
        ("reconstruct", LONG, "-o", "out"),
        ("reconstruct", "scan.npz", "--bundle", LONG, "-o", "out"),
        ("compare", LONG),
        ("report", LONG),
        ("study", "lines", "-o", LONG),
    ],
    ids=lambda words: words[0],
)
def test_a_name_that_no_disk_takes(arguments, tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(call(*arguments), LONG, "File name too long")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (OSError(errno.EIO, "Input/output error", "a.npz"), ["a.npz", "Input/output error"]),
        (OSError(errno.EMFILE, "Too many open files"), ["Too many open files"]),
        (MemoryError("Unable to allocate 9 GiB"), ["memory ran out (Unable to allocate 9 GiB)"]),
    ],
    ids=["EIO", "EMFILE", "memory"],
)
def test_what_nobody_foresaw_is_one_sentence_too(small_scan, call, monkeypatch, failure, words):
    def fail(*_):
        raise failure

    monkeypatch.setattr(inspect_command, "read_scan", fail)
    refused(call("inspect", small_scan), *words)


@pytest.mark.parametrize("words", [["inspect"], ["check", "--json"]], ids=["table", "print"])
def test_a_reader_that_has_gone(small_scan, words):
    command = [sys.executable, "-u", "-m", "ptychopinn", *words, str(small_scan)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(timeout=100) != 0
    assert "Traceback" not in said
    assert "Broken pipe" not in said


def test_a_canvas_that_no_memory_holds(tmp_path, call):
    answer = call(
        "simulate", "-o", tmp_path / "s.npz", "--n", 4096, "--patterns", 1000, "--step-px", 4000
    )
    refused(answer, "found a canvas of", "lower --patterns or --step-px")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["train", "reconstruct", "demo", "study", "pretrain"])
@pytest.mark.parametrize("below", ["", "/below/it"])
def test_output_on_a_file_is_refused_before_the_work(command, below, tmp_path, call):
    """Before the scan is looked for, even: it is not there."""
    place = tmp_path / "file"
    place.write_text("mine")
    named = {"study": ["lines"], "demo": [], "pretrain": []}.get(command, [tmp_path / "no.npz"])
    answer = call(command, *named, "-o", f"{place}{below}")
    refused(answer, f"{place}: cannot be written: found a file there, wanted a folder", "choose")
    assert place.read_text() == "mine"


@pytest.mark.parametrize("content", ["[1, 2]", '{"a": ', "[" * 100000], ids=["list", "cut", "deep"])
def test_evaluate_beside_figures_that_cannot_be_read(small_scan, tmp_path, call, content):
    quick = ("--stages", 1, "--inference.checks", "false", "--report", "none")
    assert call("reconstruct", small_scan, "-o", tmp_path / "run", *quick).code == 0
    place = tmp_path / "run" / "metrics.json"
    place.write_text(content)
    product = tmp_path / "run" / "reconstruction.h5"
    answer = call("evaluate", product, "--reference", small_scan)
    refused(answer, f"{place}: found", "remove it")
    assert place.read_text() == content
    answer = call("evaluate", product, "--reference", small_scan, "-o", tmp_path / "run" / "x.h5")
    assert answer.code == 0, answer.err
    (tmp_path / "file").write_text("mine")
    answer = call("evaluate", product, "--reference", small_scan, "-o", tmp_path / "file" / "below")
    refused(answer, f"{tmp_path / 'file'}: cannot be written: found a file there")
