"""From what is known of a run to one HTML file that needs nothing else."""

import base64
import functools
import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ptychopinn.io import replacing
from ptychopinn.report.page import account, curves, detector_pictures, facts, figures, pictures
from ptychopinn.report.page.charts import Chart
from ptychopinn.report.page.colours import CYCLIC, colour_maps, linear_hues
from ptychopinn.report.page.layers import Layer
from ptychopinn.report.page.probe_pictures import probe_layers
from ptychopinn.report.page.source import PageSource
from ptychopinn.scan import PatternFit

_SCRIPTS = ("raster.js", "viewer.js", "dots.js", "gestures.js", "controls.js", "start.js")
_KINDS = ("best explained", "median", "worst explained")


def write_page(path: Path, source: PageSource) -> Path:
    """Write report.html: one file with all pictures, curves and numbers, styles and scripts.

    Nothing in it reaches out: a policy in its head forbids the browser every connection, and every
    script but its own (by its hash). Texts are escaped, wherever they come from.

    Args:
        path: HTML file to write, whole or not at all.
        source: What is told; missing parts are named at the end of the page.

    Raises:
        OutputError: The file cannot be written.

    Tested: tests/report/test_page.py, and in a browser in tests/report/test_page_browser.py.
    """
    text = render_page(source)
    with replacing(path) as beside:
        Path(beside).write_text(text, encoding="utf-8")
    return path


def render_page(source: PageSource) -> str:
    """Return the page as text; arguments as `write_page`."""
    sections = _sections(source)
    script = "\n".join(_part(name) for name in _SCRIPTS)
    style = _part("page.css")
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=facts.short_title(source),
            source=source,
            told=account.story(source),
            verdict=facts.verdict(source),
            checks=facts.checks(source),
            tiles=facts.tiles(source),
            figures=account.figures(source),
            settings=account.settings(source),
            comparison=account.comparison_table(source),
            absent=facts.absent(source),
            data=_data(sections),
            script=Markup(script),
            style=Markup(style),
            script_hash=_digest(script),
            style_hash=_digest(style),
            **sections,
        )
    )


def _sections(source: PageSource) -> dict[str, Any]:
    """Return layers and charts by the name that the template knows them by."""
    image = source.image
    fit = image.pattern_fit if image else None
    pixel_m = image.pixel_size_m if image else None
    probe = source.shown_probe
    return {
        "objects": pictures.object_layers(image) if image else [],
        "deviations": pictures.uncertainty_layers(image) if image else [],
        "coverage": pictures.coverage_layer(image) if image else None,
        "deviance": pictures.deviance_layer(image, fit) if image and fit else None,
        "detector": detector_pictures.detector_layers(fit) if fit else [],
        "patterns": _patterns(fit) if fit else [],
        "modes": _modes(source, pixel_m),
        "spread": curves.spread_chart(fit) if fit else None,
        "rings": _rings(source),
        "loss": curves.loss_chart(source.history),
        "fit": fit,
        "scan_rows": figures.scan_rows(image) if image else [],
        "fit_rows": figures.fit_rows(fit) if fit else [],
        "resolution_rows": figures.resolution_rows(image) if image else [],
        "probe_rows": [] if probe is None else figures.probe_rows(probe, pixel_m),
    }


def _patterns(fit: PatternFit) -> list[tuple[str, str, list[Layer]]]:
    """Return kind, words and layers of every kept pattern."""
    found = []
    ratio = dict(zip(fit.numbers.tolist(), fit.ratio.tolist(), strict=True))
    count = len(fit.shown)
    for place, number in enumerate(fit.shown.tolist()):
        kind = _KINDS[min(2, 3 * place // count)]
        said = f"pattern {number}: {ratio.get(number, float('nan')):.2f} times photon noise"
        found.append((kind, said, detector_pictures.pattern_layers(fit, place)))
    return found


def _modes(source: PageSource, pixel_m: float | None) -> list[tuple[str, list[tuple[Layer, str]]]]:
    """Return the modes of the probe, and those before it was refined."""
    named = (("", source.shown_probe), ("before refinement", source.first_probe))
    return [
        (when, probe_layers(probe, "before" if when else "now", pixel_m))
        for when, probe in named
        if probe is not None
    ]


def _rings(source: PageSource) -> list[Chart]:
    """Return the ring correlations that there are."""
    image = source.image
    if image is None:
        return []
    found = []
    if image.half_data_frc is not None:
        crossing = image.quality.get("half_data_frc_crossing")
        found.append(curves.half_data_chart(image.half_data_frc, image.pixel_size_m, crossing))
    against = curves.reference_chart(source.comparison, image.pixel_size_m)
    return found if against is None else [*found, against]


def _data(sections: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of all pictures, and the colour maps that they name."""
    layers = [layer for value in sections.values() for layer in _layers_in(value)]
    used = {name for layer in layers for name in (layer.contrast.map, *layer.contrast.choices)}
    return {
        "maps": colour_maps(used | {"hue"}),
        "hues": linear_hues(),
        "cyclic": list(CYCLIC),
        "layers": {layer.name: layer.packed() for layer in layers},
    }


def _layers_in(value: Any) -> list[Layer]:
    """Return all layers inside nested lists and tuples."""
    if isinstance(value, Layer):
        return [value]
    if isinstance(value, list | tuple):
        return [layer for entry in value for layer in _layers_in(entry)]
    return []


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("ptychopinn.report.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _part(name: str) -> str:
    return resources.files("ptychopinn.report.page").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return the hash by which a policy knows a script or a style."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
