"""What the page holds, without a browser: nothing foreign, nothing unescaped, exact numbers."""

import base64
import dataclasses
import html
import json
import re

import numpy as np
import pytest

from ptychopinn.config import Config
from ptychopinn.report.page import PageSource, render_page, write_page
from ptychopinn.report.page.layers import Contrast, Frame, Layer, as_turns, quantised
from ptychopinn.report.page.pictures import _turn
from tests.report.pages import result_source, training_source

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&.npz"


@pytest.fixture(scope="module")
def source():
    return result_source()


@pytest.fixture(scope="module")
def page(source):
    return render_page(source)


def data_of(page):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    return json.loads(found.group(1))


def values_of(layer):
    stored = np.frombuffer(base64.b64decode(layer["data"]), "<u2")
    stored = stored.reshape(layer["height"], layer["width"])
    return np.where(stored == 65535, np.nan, layer["first"] + stored * layer["step"])


def test_the_page_needs_nothing_else(page):
    assert "default-src 'none'" in page
    for address in re.findall(r'(?:src|href|action|data)="([^"]*)"', page):
        assert address.startswith(("#", "data:")), address
    assert not re.search(
        r"url\(|@import|import\(|fetch\(|XMLHttpRequest|https?://(?!\S*w3\.org)", page
    )


def test_the_policy_knows_our_script_alone(page):
    import hashlib

    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_hostile_names_are_text(source):
    told = {
        **source.provenance,
        "command": HOSTILE,
        "generator": HOSTILE,
        "decisions": [HOSTILE],
        "versions": {HOSTILE: HOSTILE},
        "files": {HOSTILE: {"path": HOSTILE, "sha256": HOSTILE}},
        "trust": {"verdict": HOSTILE, "score": 0.3, "reasons": [HOSTILE]},
        "checks": [{"name": HOSTILE, "verdict": HOSTILE, "found": HOSTILE, "remedy": HOSTILE}],
        HOSTILE: HOSTILE,
    }
    hostile = dataclasses.replace(
        source,
        title=HOSTILE,
        provenance=told,
        settings={HOSTILE: {HOSTILE: HOSTILE}},
        comparison={"reference": HOSTILE, "region": HOSTILE, "metrics": {HOSTILE: 1.0}},
    )
    page = render_page(hostile)
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("<script") == 2
    assert html.escape(HOSTILE, quote=False).split("&quot;")[0][:40] in page.replace("&#34;", '"')


def test_the_numbers_are_those_of_the_arrays(source, page):
    layers = data_of(page)["layers"]
    image = source.image
    amplitude = layers["amplitude"]
    top, left = (round(amplitude["frame"][side] + 0.5) for side in ("top", "left"))
    part = np.s_[top : top + amplitude["height"], left : left + amplitude["width"]]
    found = values_of(amplitude)
    lit = image.coverage[part] > 0.02 * image.coverage.max()
    np.testing.assert_array_equal(np.isfinite(found), lit)
    np.testing.assert_allclose(found[lit], np.abs(image.object[part])[lit], atol=amplitude["step"])
    phase = values_of(layers["phase"])[lit]
    turned = np.exp(1j * phase) * np.conj(np.exp(1j * np.angle(image.object[part][lit])))
    np.testing.assert_allclose(turned, turned[0], atol=2e-3)
    measured = values_of(layers["measured-0"])
    counts = np.maximum(image.pattern_fit.measured[0], 0.1)
    np.testing.assert_allclose(measured, np.log10(counts), atol=1e-3)


def test_patterns_share_one_scale(page):
    layers = data_of(page)["layers"]
    scales = {
        (layer["contrast"]["low"], layer["contrast"]["high"], layer["contrast"]["shared"])
        for name, layer in layers.items()
        if name.startswith(("measured", "predicted"))
    }
    assert len(scales) == 1
    assert all(f"{kind}-{i}" in layers for kind in ("measured", "difference") for i in range(6))


def test_first_glance_and_sections(source, page):
    for section in ("object", "fit", "resolution", "probe", "scan", "detector", "again"):
        assert f'<section id="{section}">' in page
    assert "held out" not in page.partition("<main")[0]
    score = source.provenance["trust"]["score"]
    assert f"{score:.2f}" in page
    assert f"{len(source.image.positions_px)}" in page
    assert source.provenance["versions"]["torch"] in page
    assert "--inference.uncertainty true" in page  # what is missing names what would bring it


def test_every_picture_has_words_and_a_name(page):
    pictures = re.findall(r'<canvas class="picture"[^>]*>', page)
    assert len(pictures) > 20
    assert all(re.search(r'aria-label="[^"]{10,}', picture) for picture in pictures)
    assert all('tabindex="0"' in picture for picture in pictures)
    names = re.findall(r'data-layer="([^"]*)"', page)
    assert set(names) == set(data_of(page)["layers"])


def test_checks_before_the_run(source):
    told = [
        {"name": "photons", "verdict": "pass", "found": "4e5 per pattern", "remedy": ""},
        {"name": "probe_size", "verdict": "fail", "found": "cut off", "remedy": "enlarge N"},
        "no dictionary",
    ]
    page = render_page(
        dataclasses.replace(source, provenance={**source.provenance, "checks": told})
    )
    assert page.index("probe size") < page.index("4e5 per pattern")  # failures first
    assert "enlarge N" in page
    without = dataclasses.replace(source, provenance={**source.provenance, "checks": None})
    assert 'id="checks"' not in render_page(without)


def test_settings_that_differ_are_marked(source):
    settings = Config().to_dict()
    settings["inference"]["stages"] = 77
    page = render_page(dataclasses.replace(source, settings=settings))
    marked = re.findall(r'<tr class=changed><th scope="row">(.*?)</th><td>(.*?)</td>', page)
    assert marked == [("stages", "77")]


def test_a_bare_image_makes_a_page(source, tmp_path):
    """A product of another program: no fit, no provenance, no quality."""
    bare = dataclasses.replace(
        source.image, pattern_fit=None, half_data_frc=None, provenance={}, quality={}
    )
    place = write_page(tmp_path / "report.html", PageSource("x", image=bare))
    page = place.read_text(encoding="utf-8")
    assert 'id="object"' in page
    assert 'id="fit"' not in page
    assert "not judged" in page.lower()


def test_lengths_are_in_metres_where_they_are_known(source):
    image = dataclasses.replace(source.image, pixel_size_m=12e-9)
    page = render_page(dataclasses.replace(source, image=image))
    assert data_of(page)["layers"]["phase"]["frame"]["pixel_m"] == 12e-9
    assert re.search(r"half period \d+(\.\d+)? nm", page)


def test_a_training_has_a_page_of_its_own():
    page = render_page(training_source())
    assert 'id="training"' in page
    assert 'id="probe"' in page
    assert 'id="object"' not in page
    assert "training loss" in page


@pytest.mark.parametrize("values", [[[0.0, 1.0], [np.nan, -3.5]], [[2.0, 2.0]], [[np.nan]]])
def test_quantised_values_come_back(values):
    values = np.array(values)
    stored, first, step = quantised(values)
    back = np.where(stored == 65535, np.nan, first + stored * step)
    np.testing.assert_allclose(back, values, atol=step)


def test_angles_go_around():
    np.testing.assert_array_equal(
        as_turns(np.array([0, np.pi / 2, np.pi, -np.pi, -1e-6, 2 * np.pi])),
        [0, 64, 128, 128, 0, 0],
    )


@pytest.mark.parametrize(("low", "high"), [(-0.4, 0.5), (-3, 3), (0.1, 0.11), (1, 2.7)])
def test_the_turn_of_the_colours_holds_the_phases(low, high):
    first, last = _turn(low, high)
    assert first <= low
    assert last >= high
    turns = np.log2(2 * np.pi / (last - first))
    assert turns == pytest.approx(round(turns), abs=1e-9)


def test_a_map_of_nothing_is_blank():
    layer = Layer("x", np.full((3, 4), np.nan), Frame(0, 0), Contrast(0, 1, "grey"), "x")
    assert np.isnan(values_of(layer.packed())).all()
