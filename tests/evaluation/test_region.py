import numpy as np
import pytest

from ptychopinn.errors import ConfigError
from ptychopinn.evaluation.region import Region


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", (slice(0, 20), slice(0, 30))),
        ("y:2:7,x:3:11", (slice(2, 7), slice(3, 11))),
        ("x:3:11,y:2:7", (slice(2, 7), slice(3, 11))),
        (" y : 2 : 7 , x:3:11 ", (slice(2, 7), slice(3, 11))),
        ("y:5:", (slice(5, 20), slice(0, 30))),
        ("x::9", (slice(0, 20), slice(0, 9))),
        ("y:0:20,x:0:30", (slice(0, 20), slice(0, 30))),
    ],
)
def test_parse(text, expected):
    region = Region.parse(text)
    assert region.slices((20, 30)) == expected
    assert Region.parse(str(region)) == region


@pytest.mark.parametrize(
    "text",
    ["", "half", "z:1:2", "y:1", "y:1:2:3", "y:a:9", "y:1.5:9", "y:-3:9", "y:9:9", "y:9:3",
     "y:1:9,y:2:3", "y:1:9;x:1:9", "y:²:9"],
)  # fmt: skip
def test_parse_refuses(text):
    with pytest.raises(ConfigError, match="region"):
        Region.parse(text)


@pytest.mark.parametrize("text", ["y:0:21", "x:0:31", "y:20:", "x:30:40"])
def test_slices_refuse_what_is_beyond_the_canvas(text):
    with pytest.raises(ConfigError, match="beyond the canvas"):
        Region.parse(text).slices((20, 30))


def test_region_refuses_an_empty_span():
    with pytest.raises(ConfigError, match="no pixel"):
        Region(y=(4, 4))


def test_mask_covers_the_box_only():
    mask = Region.parse("y:2:7,x:3:11").mask((20, 30))
    assert mask.dtype == bool
    assert mask.sum() == 5 * 8
    assert np.argwhere(mask).min(axis=0).tolist() == [2, 3]
    assert np.argwhere(mask).max(axis=0).tolist() == [6, 10]
