"""What the doctor finds: packages, and what trials of them showed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FoundPart:
    """A package, looked for."""

    name: str
    """Its distribution."""
    version: str | None
    """None = it is missing."""
    purpose: str
    """What it is good for."""
    command: str
    """The command that adds it."""


@dataclass(frozen=True)
class SelfTest:
    """What one trial showed."""

    name: str
    """What was tried."""
    works: bool
    """Whether it did what it should."""
    found: str
    """The figure, or what went wrong."""
