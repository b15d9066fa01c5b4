"""The letters for array axes, used by every docstring, and the check that holds arrays to them.

Letters
    B   groups in a batch
    C   patterns in a group
    K   patterns in a scan
    P   incoherent probe modes
    N   side of a diffraction pattern, of the probe and of an object patch
    H W rows and columns of the object canvas

Order and frame
    Two-dimensional indices are always (row, column) = (y, x). A position is where the *centre
    pixel* of the probe window (index N // 2) lies, in pixels of the object canvas: the window of
    position r covers rows floor(r_y) - N // 2 up to floor(r_y) - N // 2 + N - 1.
    Diffraction patterns have their zero frequency at index (N // 2, N // 2).

Units
    ``_px`` canvas pixels, ``_m`` metres, ``_rad`` radians, ``_counts`` detected photons.
"""

from typing import Any

from ptychopinn.errors import ShapeError

__all__ = ["require_axes"]


def _is_complex(array: Any) -> bool:
    """Tell whether a NumPy array or a tensor holds complex numbers."""
    return "complex" in str(array.dtype)


def _matches(wanted: str, size: int, sizes: dict[str, int]) -> bool:
    """Compare one axis with its letter; alternatives are written ``B|1``."""
    for option in wanted.split("|"):
        if option.isdigit():
            if size == int(option):
                return True
        elif sizes.setdefault(option, size) == size:
            return True
    return False


def require_axes(
    name: str, array: Any, axes: str, *, kind: str = "any", **sizes: int
) -> dict[str, int]:
    """Check rank, sizes and kind of ``array`` and return the size behind every letter.

    Args:
        name: What the array is called in the message.
        array: NumPy array or tensor.
        axes: Letters separated by blanks, for instance ``"B|1 P N N"``. A letter that occurs
            twice must have the same size each time.
        kind: ``real``, ``complex`` or ``any``.
        **sizes: Sizes that letters are known to have.

    Raises:
        ShapeError: The array does not fit; the message says what was expected and found.
    """
    letters = axes.split()
    known = dict(sizes)
    fits = len(letters) == array.ndim and all(
        _matches(letter, int(size), known)
        for letter, size in zip(letters, array.shape, strict=True)
    )
    kind_fits = kind == "any" or (kind == "complex") == _is_complex(array)
    if fits and kind_fits:
        return known
    given = ", ".join(f"{letter}={size}" for letter, size in sizes.items())
    wanted_kind = "" if kind == "any" else f" {kind}"
    found = f"{tuple(array.shape)} {array.dtype}"
    wanted = f"({', '.join(letters)}){wanted_kind}" + (f" with {given}" if given else "")
    raise ShapeError(f"{name}: expected {wanted}, got {found}.")
