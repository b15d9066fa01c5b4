"""The page in a real browser: it must work there, not only look right as text.

Chromium is not installed by `make test`; without it these tests are skipped, and what the page
holds is still tested in test_page.py.
"""

import dataclasses

import numpy as np
import pytest
from matplotlib.image import imread

from ptychopinn.config import Config, DataConfig, InferenceConfig
from ptychopinn.inference import reconstruct
from ptychopinn.io import read_scan
from ptychopinn.report.page import PageSource, write_page
from tests.report.browser import chromium, started
from tests.report.pages import result_source, training_source
from tests.report.test_page import HOSTILE

PROGRAM = chromium()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")

PHASE = '#object figure[data-layer="phase"]'
AMPLITUDE = '#object figure[data-layer="amplitude"]'


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with started(PROGRAM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def source():
    return result_source()


@pytest.fixture(scope="module")
def page(source, tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("page") / "report.html", source)


@pytest.fixture
def opened(browser, page):
    browser.complaints.clear()
    browser.requests.clear()
    browser.resize(1280)
    browser.open(page)
    yield browser
    assert browser.complaints == []


def pixels(browser, figure):
    return browser.run(f"document.querySelector('{figure} canvas.picture').toDataURL()")


def point(browser, x, y):
    """Move the mouse to a place, as a hand does: by more than one step."""
    browser.mouse("mouseMoved", x - 2, y)
    browser.mouse("mouseMoved", x, y)


def text(browser, selector):
    return browser.run(f"document.querySelector('{selector}').textContent")


def test_it_opens_without_a_complaint_or_a_connection(opened, page):
    assert opened.requests == [page.as_uri()]
    drawn = opened.run(
        "[...document.querySelectorAll('canvas.picture')].map((c) => new Set("
        "c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size)"
    )
    assert len(drawn) > 20
    assert min(drawn) > 3  # every picture shows something


def test_no_width_scrolls_sideways(opened):
    beyond = (
        "[...document.querySelectorAll('main *')].filter((e) => "
        "e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))"
    )
    for width, dark in ((1280, True), (400, False), (400, True), (320, False)):
        opened.resize(width, dark=dark)
        opened.settle()
        assert opened.run("document.documentElement.scrollWidth") == width
        assert opened.run(beyond) == []


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, False), (400, True)])
def test_a_picture_of_the_whole_page(opened, tmp_path, width, dark):
    opened.resize(width, dark=dark)
    opened.settle()
    opened.whole_picture(tmp_path / "page.png")
    seen = np.round(imread(tmp_path / "page.png")[..., :3] * 255).astype(np.uint8)
    height = opened.run("document.documentElement.scrollHeight")
    assert seen.shape == (height, width, 3)
    assert opened.run("document.documentElement.scrollWidth") == width
    paper = seen[-1, 0]
    assert (paper < 128).all() if dark else (paper > 128).all()
    inked = (seen != paper).any(axis=-1)
    assert 0.1 < inked.mean() < 0.95  # neither blank nor black
    # Everything below the head of the page is drawn: no screen of it is empty.
    assert all(inked[top : top + 900].any() for top in range(0, height, 900))
    x, y, w, h = opened.run(
        f"(() => {{ const b = document.querySelector('{PHASE} canvas.picture')"
        ".getBoundingClientRect(); return [b.x, b.y + scrollY, b.width, b.height]; })()"
    )
    inside = seen[int(y) : int(y + h), int(x) : int(x + w)].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) > 500  # a phase has all the colours of the wheel


def test_the_slider_changes_colours_and_not_values(opened):
    before = pixels(opened, PHASE)
    untouched = pixels(opened, AMPLITUDE)
    x, y = opened.middle(f"{PHASE} canvas.picture")
    opened.mouse("mouseMoved", x, y)
    value = text(opened, f"{PHASE} .readout")
    low = text(opened, f"{PHASE} .low-said")
    opened.run(f"document.querySelector('{PHASE} input.low').focus()")
    opened.key("PageUp")
    assert text(opened, f"{PHASE} .low-said") != low
    after = pixels(opened, PHASE)
    assert after != before
    opened.mouse("mouseMoved", x + 3, y)
    opened.mouse("mouseMoved", x, y)
    assert text(opened, f"{PHASE} .readout") == value
    opened.run(f"document.querySelector('{PHASE} .auto').click()")
    opened.mouse("mouseMoved", 2, 2)
    assert pixels(opened, PHASE) == before
    assert pixels(opened, AMPLITUDE) == untouched


def test_another_colour_map(opened):
    before = pixels(opened, PHASE)
    assert not opened.run(f"document.querySelector('{PHASE} .wheel').hidden")
    opened.run(
        f"(() => {{ const s = document.querySelector('{PHASE} select'); s.value = 'grey'; "
        "s.dispatchEvent(new Event('change')); })()"
    )
    opened.settle()
    assert pixels(opened, PHASE) != before
    assert opened.run(f"document.querySelector('{PHASE} .wheel').hidden")


def test_the_wheel_magnifies_what_moves_together(opened):
    whole = [pixels(opened, figure) for figure in (PHASE, AMPLITUDE)]
    patterns = pixels(opened, '#fit figure[data-layer="measured-0"]')
    x, y = opened.middle(f"{PHASE} canvas.picture")
    point(opened, x, y)
    under = text(opened, f"{PHASE} .readout")
    opened.mouse("mouseWheel", x, y, deltaX=0, deltaY=-400)
    assert all(pixels(opened, f) != w for f, w in zip((PHASE, AMPLITUDE), whole, strict=True))
    assert pixels(opened, '#fit figure[data-layer="measured-0"]') == patterns
    opened.mouse("mouseMoved", x, y)
    assert text(opened, f"{PHASE} .readout") == under  # the point under the cursor stays
    for count in (1, 2):
        for kind in ("mousePressed", "mouseReleased"):
            opened.mouse(kind, x, y, button="left", clickCount=count)
    opened.mouse("mouseMoved", 2, 2)
    assert [pixels(opened, figure) for figure in (PHASE, AMPLITUDE)] == whole


def test_dragging_moves_the_magnified_picture(opened):
    x, y = opened.middle(f"{PHASE} canvas.picture")
    point(opened, x, y)
    opened.mouse("mouseWheel", x, y, deltaX=0, deltaY=-600)
    seen = text(opened, f"{PHASE} .readout")
    opened.mouse("mousePressed", x, y, button="left", buttons=1)
    opened.mouse("mouseMoved", x + 60, y, button="left", buttons=1)
    opened.mouse("mouseReleased", x + 60, y, button="left")
    assert text(opened, f"{PHASE} .readout") == seen  # the same point is still under the cursor
    opened.mouse("mouseMoved", x, y)
    assert text(opened, f"{PHASE} .readout") != seen


def test_scrolling_past_a_picture_stays_scrolling(opened):
    x, y = opened.middle(f"{PHASE} canvas.picture")
    before, picture = opened.run("scrollY"), pixels(opened, AMPLITUDE)
    point(opened, x, y)
    opened.mouse("mouseWheel", x, y, deltaX=0, deltaY=300)
    opened.wait_for(f"scrollY > {before}")
    opened.mouse("mouseMoved", 2, 2)
    assert pixels(opened, AMPLITUDE) == picture


def test_keys_do_all_that_the_mouse_does(opened):
    opened.run(f"document.querySelector('{PHASE} canvas.picture').focus()")
    opened.settle()
    seen = {pixels(opened, PHASE)}
    for key in ("+", "+", "ArrowLeft", "ArrowDown"):
        opened.key(key, key if len(key) == 1 else "")
        seen.add(pixels(opened, PHASE))
    assert len(seen) == 5
    assert "phase" in text(opened, f"{PHASE} .readout")
    opened.key("0", "0")
    opened.run("document.activeElement.blur()")
    opened.settle()
    assert pixels(opened, PHASE) in seen


def test_the_readout_tells_the_value_of_the_array(opened, source):
    x, y = opened.middle(f"{AMPLITUDE} canvas.picture")
    opened.mouse("mouseMoved", x + 7, y - 11)
    words = text(opened, f"{AMPLITUDE} .readout").replace(",", "").split()
    column, row = float(words[1]), float(words[3])
    value = float(words[words.index("amplitude") + 1])
    pixel = source.image.object[round(row), round(column)]
    assert value == pytest.approx(np.abs(pixel), rel=2e-3)


def test_curves_tell_their_values(opened):
    x, y = opened.middle("#resolution figure.chart svg")
    opened.mouse("mouseMoved", x, y)
    assert "halves" in text(opened, "#resolution figure.chart .readout")


def test_the_command_is_copied(opened, source):
    opened.run("document.querySelector('button[data-copy]').click()")
    opened.wait_for("document.querySelector('button[data-copy]').textContent !== 'Copy'")
    assert opened.run("getSelection().toString()") == source.provenance["command"]


def test_light_and_dark(opened):
    paper = "getComputedStyle(document.body).backgroundColor"
    light, picture = opened.run(paper), pixels(opened, PHASE)
    opened.run("document.querySelector('button.theme').click()")
    opened.settle()
    assert opened.run(paper) != light
    assert pixels(opened, PHASE) != picture  # what is not known takes the colour of the page
    opened.run("document.querySelector('button.theme').click()")
    opened.settle()
    assert opened.run(paper) == light


def test_hostile_names_do_nothing(browser, source, tmp_path):
    browser.complaints.clear()
    told = {**source.provenance, "command": HOSTILE, "decisions": [HOSTILE]}
    hostile = dataclasses.replace(source, title=HOSTILE, provenance=told)
    browser.open(write_page(tmp_path / "report.html", hostile))
    assert text(browser, "#command") == HOSTILE
    assert browser.run("document.images.length") == 0
    assert browser.complaints == []


def test_a_training_opens(browser, tmp_path):
    browser.complaints.clear()
    browser.open(write_page(tmp_path / "report.html", training_source()))
    assert browser.run("document.querySelectorAll('#training path.curve').length") == 2
    assert browser.complaints == []


def test_a_part_of_the_real_scan(browser, real_scan_files, tmp_path):
    path, reference = real_scan_files
    scan = read_scan(path, DataConfig(probe=str(reference)))
    scan = scan.select(np.arange(0, 60))
    image = reconstruct(scan, None, Config(inference=InferenceConfig(threads=1, stages=2)))
    place = write_page(
        tmp_path / "report.html", PageSource(str(path), image=image, provenance=image.provenance)
    )
    assert place.stat().st_size < 8e6
    browser.complaints.clear()
    browser.resize(400)
    browser.open(place)
    assert browser.run("document.documentElement.scrollWidth") == 400
    assert browser.complaints == []
