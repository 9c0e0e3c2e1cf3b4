"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. Not `ok`: nothing may be charged until `remedy` is done.

    `ok` with a remedy is a warning.
    """

    ok: bool
    what: str
    remedy: str = ""


def good(what: str) -> Finding:
    """Return that something is as it must be."""
    return Finding(ok=True, what=what)


def warning(what: str, remedy: str) -> Finding:
    """Return that something works, but not for long or not well."""
    return Finding(ok=True, what=what, remedy=remedy)


def bad(what: str, remedy: str) -> Finding:
    """Return that something must be mended before the jobs may run."""
    return Finding(ok=False, what=what, remedy=remedy)
