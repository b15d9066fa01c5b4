"""One colour for one complex number: lightness for its modulus, hue for its phase."""

import numpy as np

#: Lightness and chroma of modulus 1 in OKLab; with this chroma every hue exists in sRGB.
_LIGHTNESS = 0.76
_CHROMA = 0.12

#: Rows: cone responses (cube roots) from lightness, green-red, blue-yellow.
_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
#: Rows: linear red, green, blue from cone responses.
_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def complex_colours(modulus: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Return colours whose perceived lightness grows with the modulus, equally for every phase.

    Plain HSV would show yellow and cyan much brighter than blue, and so a phase as an amplitude.

    Args:
        modulus: (...) real; cut to [0, 1].
        phase: (...) real, radians; 0 is red, pi is cyan.

    Returns:
        (..., 3) float64, sRGB in [0, 1].

    Source: B. Ottosson, "A perceptual color space for image processing" (OKLab), 2020.
    """
    size = np.clip(modulus, 0, 1)
    hue = phase + np.deg2rad(25)
    lab = np.stack(
        [_LIGHTNESS * size, _CHROMA * size * np.cos(hue), _CHROMA * size * np.sin(hue)], axis=-1
    )
    linear = np.clip(((lab @ _CONES.T) ** 3) @ _RGB.T, 0, 1)
    return np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )
