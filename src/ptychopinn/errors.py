"""The exceptions that this package raises on purpose; everything else is a defect."""

import difflib
from collections.abc import Iterable

#: Exit code of every refusal that is the user's to mend.
REFUSED = 2


class PtychoError(Exception):
    """Base of every error whose message is meant to be read by a user."""


class ShapeError(PtychoError, ValueError):
    """An array has the wrong rank, size or kind (real against complex)."""


class ConfigError(PtychoError, ValueError):
    """A setting is unknown, out of bounds, or contradicts another one."""


class DataError(PtychoError, ValueError):
    """A file or a scan cannot be used: missing, damaged, or physically meaningless."""


class BundleError(PtychoError, ValueError):
    """A model bundle is damaged, foreign, or does not fit the scan."""


class TrainingError(PtychoError, RuntimeError):
    """Training cannot go on: the loss is not finite, or there is nothing to train on."""


class ProcessError(PtychoError, RuntimeError):
    """One of several processes that share the work is gone."""


class SharedScanError(PtychoError, RuntimeError):
    """Another of several processes could not go on with the scan that they share."""


class Interrupted(PtychoError):  # noqa: N818 - it is what happened, and no error
    """The user ended a run that had finished a part of its work."""


class OutputError(PtychoError, OSError):
    """A result cannot be written: no space, no permission, or the place is taken."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence that names the nearest known word, or lists them all."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(names)}."


def said_briefly(error: BaseException) -> str:
    """Return the message of an exception on one line, or its type when it has none."""
    text = " ".join(str(error).split()).replace(". ", ", ")
    return text[:200].rstrip(".") or type(error).__name__
