"""BringUpWords: the options of commands that bring labs up, as they are handed over by click."""

from __future__ import annotations

from typing import TypedDict


class LabWords(TypedDict):
    """Options of a command that brings labs up, whatever versions they are of."""

    netback: str | None
    netfront: tuple[str, ...]
    cold: bool
    offline: bool
    connect_uri: str
    checkpoint_limit_bytes: int


class BringUpWords(LabWords):
    """Options of every command that may bring a lab up, as they are handed over by click."""

    xen: str | None
    dom0_kernel: str | None
    domu_kernel: tuple[str, ...]
