"""Workbench: where make and the compiler run, on this host or in a tree of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from xenlab.transport.process import run
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline


class Workplace(Protocol):
    """One folder at work against headers: both by the paths that programs there know them by."""

    @property
    def headers(self) -> Path:
        """The folder of the headers, which nothing there writes to."""
        ...

    @property
    def folder(self) -> Path:
        """The folder with the sources, in which everything is built."""
        ...

    def run(self, argv: Sequence[str], deadline: Deadline) -> CommandResult:
        """Run a program there to its end, whatever its exit status."""
        ...


class Workbench(Protocol):
    """Programs that build modules, wherever they are."""

    def place(self, headers: Path, folder: Path) -> Workplace:
        """A place to build a folder of this host at, against headers of this host."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlace:
    """The folders as they are."""

    headers: Path
    folder: Path

    def run(self, argv: Sequence[str], deadline: Deadline) -> CommandResult:
        """Run a program of this host. Raises Unavailable, naming its package, if there is none."""
        return run(argv, deadline=deadline)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBench:
    """The programs of this host."""

    def place(self, headers: Path, folder: Path) -> HostPlace:
        """The folders by their own names."""
        return HostPlace(headers=headers, folder=folder)
