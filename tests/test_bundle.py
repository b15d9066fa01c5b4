import dataclasses
import json
import zipfile

import numpy as np
import pytest
import torch

from ptychopinn import bundle as module
from ptychopinn.bundle import Bundle, load_bundle, save_bundle
from ptychopinn.config import Config, GeneratorConfig, UnrolledConfig
from ptychopinn.data import GroupDataset, collate_groups, group_patterns
from ptychopinn.errors import BundleError
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.inference import reconstruct
from ptychopinn.io.bundle_file import MEMBERS, sealed_zip
from tests.conftest import make_scan

SCAN = make_scan(32, side=5)


def make_bundle(name="unrolled", lift="none"):
    config = Config(
        generator=GeneratorConfig(
            name=name, lift=lift, unrolled=UnrolledConfig(stages=3, networks=1, width=8, depth=2)
        )
    )
    generator = build_generator(config.generator, GeneratorSize(32, 4)).eval()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    groups = group_patterns(SCAN.positions_px, 4, 4, rng=np.random.default_rng(0))
    data = GroupDataset(SCAN, groups)
    return Bundle(
        config=config,
        generator=generator,
        size=GeneratorSize(32, 4),
        probe=SCAN.probe,
        pattern_counts=1e5,
        history=[{"epoch": 0, "step": 5, "seconds": 1.0, "train_loss": 0.5, "val_loss": None}],
        statistics={"steps": 5},
        golden=collate_groups(data)([data[0]]),
    )


@pytest.fixture
def path(tmp_path):
    return save_bundle(tmp_path / "wts.h5.zip", make_bundle())


@pytest.mark.parametrize(
    ("name", "lift"), [("unrolled", "none"), ("cnn", "none"), ("cnn", "backprojection")]
)
def test_a_loaded_bundle_reconstructs_the_same(tmp_path, name, lift):
    before = make_bundle(name, lift)
    save_bundle(tmp_path / "b.zip", before)
    after = load_bundle(tmp_path / "b.zip")
    assert after.config == before.config
    assert after.history == before.history
    assert after.versions == before.versions
    np.testing.assert_array_equal(after.probe, before.probe)
    config = dataclasses.replace(before.config)
    images = [reconstruct(SCAN, bundle, config).object for bundle in (before, after)]
    np.testing.assert_allclose(images[0], images[1], atol=1e-6)


def test_a_folder_is_enough(path):
    assert load_bundle(path.parent).pattern_counts == 1e5


def test_there_is_no_pickle_in_it(path):
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == sorted(MEMBERS)
        for name in archive.namelist():
            content = archive.read(name)
            assert b"\x80\x02" not in content[:4]
            if name.endswith("json"):
                json.loads(content)
            else:
                header = int.from_bytes(content[:8], "little")
                json.loads(content[8 : 8 + header])


def test_any_changed_byte_is_noticed(path):
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    places = [0, len(whole) - 1, len(whole) - 80, *rng.integers(0, len(whole), 40).tolist()]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(BundleError, match=r"wts\.h5\.zip: "):
            load_bundle(path)
    path.write_bytes(whole)
    load_bundle(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_cut_off_bundle(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(BundleError, match="cut off"):
        load_bundle(path)


def test_missing_file(tmp_path):
    with pytest.raises(BundleError, match="cannot be read"):
        load_bundle(tmp_path / "none.zip")


def reseal(path, change):
    """Write the bundle again with a changed manifest and a seal that fits."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in MEMBERS}
    manifest = json.loads(contents["manifest.json"])
    change(manifest)
    contents["manifest.json"] = json.dumps(manifest).encode()
    path.write_bytes(sealed_zip(tuple(contents.values())))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format=99), "has format 99, this version reads 1"),
        (lambda m: m["config"]["generator"].update(name="other"), "does not fit this version"),
        (lambda m: m["config"]["generator"]["unrolled"].update(width=16), "does not fit"),
        (lambda m: m.pop("size"), "does not fit"),
        (lambda m: m["config"].update(unknown=1), "does not fit"),
    ],
)
def test_a_stranger_is_refused(path, change, message):
    reseal(path, change)
    with pytest.raises(BundleError, match=message):
        load_bundle(path)


def test_the_golden_sample_notices_another_answer(path, monkeypatch):
    """A change of the physics that the weights were trained with must not go unseen."""
    right = module.reconstruct_batch
    monkeypatch.setattr(module, "reconstruct_batch", lambda g, v: right(g, v) * 1.01)
    with pytest.raises(BundleError, match="answers its golden sample differently"):
        load_bundle(path)


def test_a_bundle_for_another_size_is_refused():
    other = make_scan(16, side=4)
    with pytest.raises(BundleError, match=r"16 x 16 pixels.*trained on 32 x 32"):
        reconstruct(other, make_bundle("cnn"))
    reconstruct(other, make_bundle("unrolled"))
