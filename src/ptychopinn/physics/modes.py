"""How many incoherent modes a probe may have."""

from ptychopinn.errors import ConfigError, PtychoError

#: No measurement tells more modes apart, whatever its pattern size.
MOST_MODES = 64


def require_modes(
    name: str,
    count: int,
    n: int,
    remedy: str,
    *,
    least: int = 1,
    error: type[PtychoError] = ConfigError,
) -> None:
    """Refuse a number of incoherent probe modes that makes no sense.

        least <= P <= min(N, 64)

    A pattern of N x N pixels is the sum of P intensities: many more than a handful are a stack of
    something else, or would explain any pattern.

    Args:
        name: The setting or the array, for the message.
        count: Modes P.
        n: Side N of a pattern.
        remedy: What the user does next.
        least: Fewest modes, those that the probe has already.
        error: What is raised.

    Tested: tests/physics/test_modes.py.
    """
    most = min(n, MOST_MODES)
    if not least <= count <= most:
        wanted = f"{least} to {most}" if least <= most else f"at most {most}"
        raise error(
            f"{name}: found {count} incoherent modes, wanted {wanted} for patterns of {n} x {n} "
            f"pixels; {remedy}."
        )
