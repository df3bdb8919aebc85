"""One rule of the contract and whether a file keeps it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A line of the report."""

    subject: str
    """The key, tensor or run that the rule is about."""
    breach: str | None = None
    """What was expected and what was found; None when the rule is kept."""

    def __str__(self) -> str:
        return f"ok    {self.subject}" if self.breach is None else f"FAIL  {self.subject}: {self.breach}"


def expect(subject: str, kept: bool, expected: object, found: object) -> Check:
    """The check of one rule."""
    return Check(subject, None if kept else f"expected {expected}, found {found}")
