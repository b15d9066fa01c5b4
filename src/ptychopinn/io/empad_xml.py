"""The XML that EMPAD software writes beside a raw file: scan, field of view, energy, optics."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from ptychopinn.io.geometry import electron_wavelength_m
from ptychopinn.io.raster import Raster
from ptychopinn.io.refusal import refusal

#: Side of a pixel of the detector, in metres.
_PIXEL_M = 150e-6
_LONGEST_XML = 2**22
#: Tags of the microscope's values, the newest first.
_VOLTAGE = ("high_voltage", "ColumnSourceHighVoltage", "source.get_voltage")
_LENGTH = (
    "nominal_camera_length",
    "ColumnOpticsGetCameraLengthNominalCameraLength",
    "optics.get_cameralength",
)


def looks_like_xml(path: str | Path) -> bool:
    """Tell by its first bytes whether a file is XML."""
    with Path(path).open("rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")


def xml_beside(path: str | Path) -> Path | None:
    """Return the XML beside a raw file that names it."""
    place = Path(path)
    for item in sorted(place.parent.glob("*.xml")):
        if item.is_file() and looks_like_xml(item) and raw_name(item) == place.name:
            return item
    return None


def raw_name(path: str | Path) -> str | None:
    """Return the name, without folders, of the raw file that an XML is about."""
    root = _root(path)
    entry = None if root is None else root.find("raw_file")
    name = "" if entry is None else entry.get("filename", "")
    return re.split(r"[/\\]", name)[-1] or None


def _root(path: str | Path) -> ElementTree.Element | None:
    """Return the root of an XML of an EMPAD; None when it is another or damaged XML."""
    if Path(path).stat().st_size > _LONGEST_XML:
        return None
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError, ValueError, LookupError):
        return None
    return root if root.tag == "root" else None


def raster_of_xml(path: Path) -> tuple[Raster, list[str]]:
    """Return what an XML knows of its scan, and what was made of it.

    Raises:
        DataError: The file is damaged, or does not tell rows and columns.
    """
    root = _root(path)
    if root is None:
        raise refusal(path, "", "damage", "the XML of an EMPAD", "copy it again")
    measured = list(root.findall("iom_measurements/*"))
    shape = _shape(path, root)
    voltage, length = (_value(measured, tags) for tags in (_VOLTAGE, _LENGTH))
    angle = _value(measured, ("calibrated_diffraction_angle",))
    said = []
    if angle is None and length:
        angle = _PIXEL_M / length
        said.append(
            f"A detector pixel takes {1e3 * angle:.4g} mrad by the nominal camera length of "
            f"{length:g} m; override with --map angle=."
        )
    step = _step(root, measured, shape)
    wavelength = electron_wavelength_m(voltage) if voltage else None
    return Raster(shape, step, None, wavelength, angle), said


def _shape(path: Path, root: ElementTree.Element) -> tuple[int, int]:
    """Return rows and columns of the scan."""
    acquired = [p for p in root.findall("scan_parameters") if p.get("mode") == "acquire"]
    parents = [*acquired, *root.findall("scan_parameters")]
    names = [("scan_resolution_y", "scan_resolution_x"), ("pix_y", "pix_x")]
    for parent, (y, x) in [*((parent, names[0]) for parent in parents), (root, names[1])]:
        values = [_value(list(parent), (tag,)) for tag in (y, x)]
        if values[0] and values[1]:
            return int(values[0]), int(values[1])
    raise refusal(
        path, "scan_resolution_x", "nothing", "rows and columns of the scan", "add scan_parameters"
    )


def _step(
    root: ElementTree.Element, measured: list[ElementTree.Element], shape: tuple[int, int]
) -> tuple[float, float] | None:
    """Return the step of rows and columns.

    Version 1.2 has the field of view of the longer side, times the factor that it states; older
    ones both sides (x, y).
    """
    view = list(root.findall("iom_measurements/full_scan_field_of_view/*"))
    side, factor = _value(view, ("x",)), _value(view, ("scale_factor",))
    if side and factor:
        step = side / factor / max(shape)
        return step, step
    texts = [item.text or "" for item in measured if item.tag.endswith("scan_field_of_view")]
    numbers = [_number(part) for text in texts for part in text.strip(" []()\n").split(",")]
    if len(numbers) == 2 and numbers[0] and numbers[1]:
        return numbers[1] / shape[0], numbers[0] / shape[1]
    return None


def _value(items: list[ElementTree.Element], tags: tuple[str, ...]) -> float | None:
    """Return the first number above 0 that has one of these tags."""
    found: Iterator[float | None] = (
        _number(item.text) for tag in tags for item in items if item.tag == tag
    )
    return next((number for number in found if number), None)


def _number(text: str | None) -> float | None:
    """Return a finite number above 0, or nothing."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
