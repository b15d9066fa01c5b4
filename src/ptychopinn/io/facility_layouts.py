"""Where facilities keep what a scan needs in their HDF5 files: a table, the reader is elsewhere."""

from dataclasses import dataclass

#: A place and the unit that is meant when the file names none.
Field = tuple[str, str]


@dataclass(frozen=True)
class Layout:
    """Paths of one layout, the best place first; ``*`` stands for any number."""

    name: str
    """What the layout is called."""
    patterns: tuple[str, ...]
    """Frames; of a path with ``*`` all datasets, in the order of their names."""
    points: tuple[Field, ...] = ()
    """Positions in one dataset, (n, 2) as (x, y) or (2, n)."""
    y: tuple[Field, ...] = ()
    """Rows of the positions, (n,)."""
    x: tuple[Field, ...] = ()
    """Columns of the positions, (n,)."""
    energy: tuple[Field, ...] = ()
    wavelength: tuple[Field, ...] = ()
    distance: tuple[Field, ...] = ()
    pixel: tuple[tuple[Field, ...], tuple[Field, ...]] = ((), ())
    """Height and width of a detector pixel."""
    center: tuple[str, str] | None = None
    """Row and column of the direct beam, in pixels."""
    bad: tuple[str, ...] = ()
    """Pixels that are not 0 are bad."""
    good: tuple[str, ...] = ()
    """Pixels that are 0 are bad."""
    indexes: str | None = None
    """Numbers of the patterns."""
    position_indexes: str | None = None
    """Numbers of the positions."""
    order: str = "xy"
    """Which column of `points` comes first."""
    probe: tuple[str, ...] = ()
    domain: str = "auto"
    """What the patterns hold."""


_NEXUS_DETECTOR = "entry/instrument/detector"
_DECTRIS = f"{_NEXUS_DETECTOR}/detectorSpecific"

LAYOUTS = (
    Layout(
        name="Dectris or plain NeXus",
        patterns=("entry/data/data", "entry/data/data_*", f"{_NEXUS_DETECTOR}/data"),
        points=(("entry/data/translation", "m"), ("entry/sample/translation", "m")),
        y=(
            *(("entry/data/y", "m"), ("entry/sample/transformations/y", "m")),
            *(("entry/sample/positioner_y/value", "m"), ("entry/sample/goniometer/sam_y", "mm")),
        ),
        x=(
            *(("entry/data/x", "m"), ("entry/sample/transformations/x", "m")),
            *(("entry/sample/positioner_x/value", "m"), ("entry/sample/goniometer/sam_x", "mm")),
        ),
        energy=(
            ("entry/instrument/beam/incident_energy", "eV"),
            ("entry/instrument/monochromator/energy", "keV"),
            (f"{_DECTRIS}/photon_energy", "eV"),
        ),
        wavelength=(
            ("entry/instrument/beam/incident_wavelength", "angstrom"),
            ("entry/sample/beam/incident_wavelength", "angstrom"),
        ),
        distance=(
            (f"{_NEXUS_DETECTOR}/detector_distance", "m"),
            (f"{_NEXUS_DETECTOR}/distance", "m"),
            ("entry/instrument/monochromator/distance", "mm"),
        ),
        pixel=(
            ((f"{_NEXUS_DETECTOR}/y_pixel_size", "m"), (f"{_NEXUS_DETECTOR}/x_pixel_size", "m")),
            ((f"{_NEXUS_DETECTOR}/x_pixel_size", "m"), (f"{_NEXUS_DETECTOR}/y_pixel_size", "m")),
        ),
        center=(f"{_NEXUS_DETECTOR}/beam_center_y", f"{_NEXUS_DETECTOR}/beam_center_x"),
        bad=(f"{_NEXUS_DETECTOR}/pixel_mask", f"{_DECTRIS}/pixel_mask"),
    ),
    Layout(
        name="MAX IV",
        patterns=("entry/measurement/Eiger/data", "entry/measurement/eiger/frames"),
        y=(("entry/measurement/pseudo/y", "um"),),
        x=(("entry/measurement/pseudo/x", "um"),),
        energy=(
            ("entry/snapshots/pre_scan/energy", "eV"),
            ("entry/snapshot/energy", "eV"),
        ),
    ),
    Layout(
        name="APS data exchange",
        patterns=("exchange/data",),
        y=(("exchange/y", "m"), ("exchange/position_y", "m")),
        x=(("exchange/x", "m"), ("exchange/position_x", "m")),
        energy=(("measurement/instrument/monochromator/energy", "keV"),),
        distance=(("measurement/instrument/detector/distance", "m"),),
        pixel=(
            (("measurement/instrument/detector/pixel_size_y", "m"),),
            (("measurement/instrument/detector/pixel_size_x", "m"),),
        ),
    ),
    Layout(
        name="NSLS-II HXN",
        patterns=("diffamp",),
        points=(("points", "um"),),
        wavelength=(("lambda_nm", "nm"),),
        distance=(("z_m", "m"),),
        pixel=((("ccd_pixel_um", "um"),), (("ccd_pixel_um", "um"),)),
        domain="amplitude",
    ),
)
