"""Probes: what lights the object, by name, with modes, inside the window and band-limited."""

from collections.abc import Callable

import numpy as np
import torch
from scipy import optimize, special

from ptychopinn.config import SimulationConfig
from ptychopinn.errors import ConfigError
from ptychopinn.physics.fourier import fourier, inverse_fourier
from ptychopinn.physics.modes import require_modes

#: Share of the light that the circle of diameter probe_size * N holds.
SPOT_SHARE = 0.9
#: Each mode has this share of the power of the one before.
MODE_DECAY = 1 / 3
#: The rim of the window, and of the band, begins at this share of its half width ...
_RIM = 0.9
#: ... and may hold no more than these shares of the light.
_WINDOW_SPILL = 2e-3
_BAND_SPILL = 2e-2
#: The radius of an aperture is corrected at most so often, until the spot is that near its size.
_CORRECTIONS = 20
_SPOT_TOLERANCE = 0.02
#: Softness of the edge of a disk, Gaussian sigma in pixels.
_DISK_EDGE_PX = 1.0
#: Softness of the edges of an aperture, Gaussian sigma as a share of its radius.
_APERTURE_EDGE = 0.08

Maker = Callable[[SimulationConfig, np.random.Generator], np.ndarray]
#: From y and x in units of the half width to the complex transmission of an aperture.
Aperture = Callable[[np.ndarray, np.ndarray], np.ndarray]


def make_probe(settings: SimulationConfig, rng: np.random.Generator) -> np.ndarray:
    """Make the probe that the settings name, with all its modes.

    Returns:
        (P, N, N) complex64, orthogonal modes; mode p has 3^-p of the power of the first, and
        sum |P|^2 over modes and pixels is settings.photons. The first mode has 90 % of its light
        within a circle of diameter probe_size * N.

    Raises:
        ConfigError: The probe would leave the window, or its frequencies the band in which
            sub-pixel shifts are exact; or it has more modes than make sense.
    """
    require_modes("simulation.modes", settings.modes, settings.n, "give fewer --modes")
    first = PROBES[settings.probe](settings, rng)
    modes = orthogonal_modes(first, settings.modes, settings.probe_size * settings.n / 2)
    _require_contained(modes, settings)
    return (modes * np.sqrt(settings.photons)).astype(np.complex64)


def _grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return y and x in pixels from the centre pixel N // 2."""
    axis = np.arange(n) - n // 2
    return axis[:, None], axis[None, :]


def _energy(wave: np.ndarray) -> np.ndarray:
    return np.abs(wave) ** 2


def spot_diameter(probe: np.ndarray) -> float:
    """Return the diameter in pixels of the circle that holds 90 % of the light of (N, N).

    The circle lies around the centre of mass of the intensity; pixels on its line count in part.
    """
    y, x = _grid(probe.shape[-1])
    light = _energy(probe) / _energy(probe).sum()
    radius = np.hypot(y - (light * y).sum(), x - (light * x).sum())

    def surplus(circle_px: float) -> float:
        return float((light * np.clip(circle_px - radius + 0.5, 0, 1)).sum()) - SPOT_SHARE

    return 2 * float(optimize.brentq(surplus, 0, 2 * probe.shape[-1], xtol=1e-3))


def disk(settings: SimulationConfig, _rng: np.random.Generator) -> np.ndarray:
    """Make a uniform disk with a soft edge and a quadratic phase, defocus_rad at its rim.

        P(r) = erfc((r - R) / (sqrt(2) s)) / 2 * exp(i * defocus_rad * (r / R)^2)

    90 % of the light of a sharp disk lie within sqrt(0.9) R.
    """
    radius_px = settings.probe_size * settings.n / 2 / np.sqrt(SPOT_SHARE)
    radius = np.hypot(*_grid(settings.n))
    edge = _soft_disk(radius, radius_px, _DISK_EDGE_PX)
    return edge * np.exp(1j * settings.defocus_rad * (radius / radius_px) ** 2)


def gaussian(settings: SimulationConfig, _rng: np.random.Generator) -> np.ndarray:
    """Make a Gaussian beam with a quadratic phase, defocus_rad where the 90 % circle lies.

    P(r) = exp((i * defocus_rad - ln(10) / 2) * (r / R)^2),   R = probe_size * N / 2
    """
    radius = np.hypot(*_grid(settings.n)) / (settings.probe_size * settings.n / 2)
    return np.exp((1j * settings.defocus_rad - np.log(10) / 2) * radius**2)


def zone_plate(settings: SimulationConfig, rng: np.random.Generator) -> np.ndarray:
    """Make the defocused focus of an annular aperture, as behind a zone plate with central stop.

        P = F^-1[ A(q) * exp(i * (defocus_rad * (q / a)^2 + W(q / a))) ]

    A is the annulus from central_stop * a to a, with soft edges that keep stray light near the
    spot, and W the random aberrations. The width of the spot goes as 1 / a for every defocus, so
    that a follows from probe_size by a few corrections. A taper beyond 0.4 N makes sure that
    nothing wraps around the window.

    Raises:
        ConfigError: No aperture gives a spot of that size with that defocus.
    """
    aberrations = _random_aberrations(settings.aberration_rad, rng)

    def annulus(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        radius = np.hypot(y, x)
        stop = _soft_disk(radius, settings.central_stop, _APERTURE_EDGE)
        light = _soft_disk(radius, 1, _APERTURE_EDGE) * (1 - stop * (settings.central_stop > 0))
        return light * np.exp(1j * np.tensordot(aberrations, _zernikes(y, x), 1))

    return _sized_focus(settings, annulus)


def square(settings: SimulationConfig, _rng: np.random.Generator) -> np.ndarray:
    """Make the defocused focus of a square aperture, as behind a pair of bent (KB) mirrors.

        P = F^-1[ A(q_y) A(q_x) * exp(i * defocus_rad * (q / a)^2) ]

    A is 1 up to a, with soft edges. The size is found as in `zone_plate`.

    Raises:
        ConfigError: No aperture gives a spot of that size with that defocus.
    """

    def box(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        sides = [_soft_disk(np.abs(axis), 1, _APERTURE_EDGE) for axis in (y, x)]
        return sides[0] * sides[1]

    return _sized_focus(settings, box)


def _sized_focus(settings: SimulationConfig, aperture: Aperture) -> np.ndarray:
    """Return the focus of an aperture that is as wide as it takes for a spot of the wanted size.

    Raises:
        ConfigError: No width does.
    """
    wanted = settings.probe_size * settings.n
    width_px = settings.n / 6
    for _ in range(_CORRECTIONS):
        probe = _focus(settings, width_px, aperture)
        ratio = spot_diameter(probe) / wanted
        if abs(ratio - 1) < _SPOT_TOLERANCE:
            return probe
        corrected = float(np.clip(width_px * ratio, 1, settings.n / 2))
        if corrected == width_px:
            break
        width_px = corrected
    raise ConfigError(
        f"simulation.probe_size: expected a spot that an aperture of up to {settings.n // 2} "
        f"detector pixels radius makes with defocus_rad = {settings.defocus_rad:g}, got "
        f"{settings.probe_size:g} (comes out as {settings.probe_size * ratio:.2f}); choose "
        "another size, weaker defocus or aberrations, or a larger n"
    )


def _focus(settings: SimulationConfig, width_px: float, aperture: Aperture) -> np.ndarray:
    """Propagate an aperture of this half width, in detector pixels, to the object."""
    y, x = (axis / width_px for axis in _grid(settings.n))
    bent = aperture(y, x) * np.exp(1j * settings.defocus_rad * (y**2 + x**2))
    wave = inverse_fourier(torch.from_numpy(bent)).numpy()
    return wave * _taper(settings.n)


def _soft_disk(radius: np.ndarray, rim: float, softness: float) -> np.ndarray:
    """Return 1 inside, 0 outside, with an edge of this Gaussian sigma at the rim."""
    return special.erfc((radius - rim) / (np.sqrt(2) * softness)) / 2


def _taper(n: int) -> np.ndarray:
    """Return a radial window: 1 up to 0.4 N, falling as a squared cosine to 0 at 0.5 N."""
    share = np.clip((np.hypot(*_grid(n)) / n - 0.4) / 0.1, 0, 1)
    return np.cos(np.pi / 2 * share) ** 2


def _random_aberrations(rms_rad: float, rng: np.random.Generator) -> np.ndarray:
    """Draw (5,) coefficients of `_zernikes` whose root sum of squares is rms_rad."""
    coefficients = rng.standard_normal(5)
    return coefficients * (rms_rad / np.linalg.norm(coefficients))


def _zernikes(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return astigmatism (2), coma (2) and spherical aberration, (5, N, N).

    Each has a root mean square of 1 over the unit disc (Noll, J. Opt. Soc. Am. 66, 207 (1976)).
    Outside the disc they are those of its rim's continuation and light nothing.
    """
    squared = y**2 + x**2
    coma = np.sqrt(8) * (3 * squared - 2)
    return np.stack(
        [
            np.sqrt(6) * (x**2 - y**2),
            np.sqrt(6) * 2 * x * y,
            coma * x,
            coma * y,
            np.sqrt(5) * (6 * squared**2 - 6 * squared + 1),
        ]
    )


def orthogonal_modes(first: np.ndarray, count: int, radius_px: float) -> np.ndarray:
    """Derive incoherent modes from a wave, as a source that is not a point makes them.

        P_0 = first,   P_p = Gram-Schmidt of  first * (y / R)^i (x / R)^j exp(-r^2 / (2 R^2))

    with orders i + j = 1, 2, ...: Hermite-like lobes that stay within the spot. Powers decay as
    1, 1/3, 1/9, ... and sum to 1.

    Args:
        first: (N, N) complex.
        count: Number of modes P.
        radius_px: R, the radius of the spot.

    Returns:
        (P, N, N) complex128.
    """
    y, x = (axis / radius_px for axis in _grid(first.shape[-1]))
    envelope = np.exp(-(y**2 + x**2) / 2)
    orders = [(total - j, j) for total in range(1, count) for j in range(total + 1)][: count - 1]
    lobes = [first * envelope * y**i * x**j for i, j in orders]
    columns = np.stack([first, *lobes]).reshape(count, -1).T
    basis, triangle = np.linalg.qr(columns / np.linalg.norm(columns, axis=0))
    signs = np.diag(triangle) / np.abs(np.diag(triangle))
    powers = MODE_DECAY ** np.arange(count)
    scaled = basis * signs * np.sqrt(powers / powers.sum())
    return scaled.T.reshape(count, *first.shape)


def _require_contained(modes: np.ndarray, settings: SimulationConfig) -> None:
    """Refuse modes of total power 1 that reach the rim of the window or of the band."""
    n = settings.n
    y, x = _grid(n)
    rim = np.maximum(np.abs(y), np.abs(x)) > _RIM * n / 2
    in_window = float(_energy(modes)[:, rim].sum())
    in_band = float(_energy(fourier(torch.from_numpy(modes)).numpy())[:, rim].sum())
    if in_window > _WINDOW_SPILL:
        raise ConfigError(
            f"simulation.probe_size: expected a spot well inside the window, got "
            f"{settings.probe_size:g}, with {in_window:.1%} of the light at the window's edge; "
            "choose a smaller spot, or fewer modes"
        )
    if in_band > _BAND_SPILL:
        raise ConfigError(
            f"simulation.probe_size: expected a spot that {n} pixels sample, got "
            f"{settings.probe_size:g} with defocus_rad = {settings.defocus_rad:g}, with "
            f"{in_band:.1%} of the light at the detector's edge; choose a larger spot, weaker "
            "defocus or aberrations, or a larger n"
        )


PROBES: dict[str, Maker] = {
    "disk": disk,
    "gaussian": gaussian,
    "zone_plate": zone_plate,
    "square": square,
}
