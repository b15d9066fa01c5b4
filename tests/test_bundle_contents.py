"""Bundles that were forged and sealed again: refused in one sentence, whatever they hold."""

import json
import zipfile

import pytest
import torch
from safetensors.torch import load, save

from ptychopinn.bundle import load_bundle, save_bundle
from ptychopinn.errors import BundleError
from ptychopinn.io.bundle_file import MEMBERS, sealed_zip
from tests.test_bundle import make_bundle


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    path = save_bundle(tmp_path_factory.mktemp("good") / "wts.h5.zip", make_bundle())
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in MEMBERS]


def refused(place, contents) -> str:
    place.write_bytes(sealed_zip(contents))
    with pytest.raises(BundleError) as error:
        load_bundle(place)
    said = str(error.value)
    assert said.startswith(f"{place}: ")
    assert "\n" not in said
    return said


ROW = {"epoch": 0, "train_loss": 1.0}
MANIFESTS = {
    "pattern_counts": ["1e5", None, -1.0, float("nan"), True, 10**400],
    "versions": [["torch"], {"torch": 2}, None],
    "statistics": [["steps"], None],
    "history": [{}, "rows", ["row"], [{"epoch": 0}], [{**ROW, "other": 1}], [{"train_loss": "1"}]],
    "golden_canvas": [[1e3, 1e3], ["46", "46"], [46], 46, [10**7, 10**7], [2**40, 2**40], [-1, 9]],
    "size": [{"n": "32", "group_size": 4}, {"n": 2**40, "group_size": 4}, {"n": 32}, [32, 4]],
    "config": [{"generator": []}, [], {"generator": {"unrolled": {"width": 4096, "networks": 1}}}],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in MANIFESTS.items() for value in values]
)
def test_a_manifest_of_another_kind(contents, tmp_path, key, value):
    manifest = {**json.loads(contents[0]), key: value}
    said = refused(tmp_path / "b.zip", [json.dumps(manifest).encode(), *contents[1:]])
    assert "does not fit this version" in said


POSITIONS = torch.zeros(25, 2, dtype=torch.float64)


@pytest.mark.parametrize(
    "added",
    [
        {"positions_px": POSITIONS},
        {"positions_px": POSITIONS, "start_positions_px": POSITIONS[1:]},
        {"positions_px": POSITIONS.float(), "start_positions_px": POSITIONS.float()},
        {"positions_px": POSITIONS * torch.nan, "start_positions_px": POSITIONS},
        {"positions_px": POSITIONS[:, :1], "start_positions_px": POSITIONS},
    ],
)
def test_refined_positions_that_do_not_fit_each_other(contents, tmp_path, added):
    arrays = save({**load(contents[2]), **{k: v.clone() for k, v in added.items()}})
    said = refused(tmp_path / "b.zip", [*contents[:2], arrays])
    assert "positions_px" in said


@pytest.mark.parametrize("missing", ["size", "history", "golden_canvas", "statistics"])
def test_a_manifest_that_lacks_something(contents, tmp_path, missing):
    manifest = json.loads(contents[0])
    del manifest[missing]
    assert missing in refused(tmp_path / "b.zip", [json.dumps(manifest).encode(), *contents[1:]])


def not_a_number(array):
    return torch.full_like(array, torch.nan)


ARRAYS = {
    "a probe that is no number": ("probe", not_a_number),
    "a probe of one axis": ("probe", lambda a: a[0, 0, 0]),
    "a probe of another size": ("probe", lambda a: a[:, :-1, :-1]),
    "no mode": ("probe", lambda a: a[:0]),
    "a mask of another size": ("golden_mask", lambda a: a[:7, :7]),
    "corners that are no integers": ("golden_corners", lambda a: a.float()),
    "corners beyond the canvas": ("golden_corners", lambda a: a + 10**6),
    "corners before it": ("golden_corners", lambda a: a - 10**6),
    "counts of another rank": ("golden_counts", lambda a: a[0]),
    "counts that are no number": ("golden_counts", not_a_number),
    "counts of double precision": ("golden_counts", lambda a: a.double()),
    "fewer fractions": ("golden_fractions", lambda a: a[:, :-1]),
    "an answer of another shape": ("golden_answer", lambda a: a[:, :-1]),
    "an answer without parts": ("golden_answer", lambda a: a[..., 0]),
    "an answer that is no number": ("golden_answer", not_a_number),
    "an answer of whole numbers": ("golden_answer", lambda a: a.long()),
    "no answer": ("golden_answer", None),
}


@pytest.mark.parametrize("what", ARRAYS)
def test_arrays_of_another_kind(contents, tmp_path, what):
    name, change = ARRAYS[what]
    arrays = load(contents[2])
    made = {} if change is None else {name: change(arrays.pop(name)).contiguous()}
    arrays.pop(name, None)
    said = refused(tmp_path / "b.zip", [*contents[:2], save({**arrays, **made})])
    assert name in said


def test_weights_of_another_kind(contents, tmp_path):
    weights = load(contents[1])
    name = next(iter(weights))
    for change in (lambda a: a[:0], lambda a: a.double(), lambda a: a[None]):
        made = {**weights, name: change(weights[name]).contiguous()}
        assert name in refused(tmp_path / "b.zip", [contents[0], save(made), contents[2]])
    del weights[name]
    assert name in refused(tmp_path / "b.zip", [contents[0], save(weights), contents[2]])
