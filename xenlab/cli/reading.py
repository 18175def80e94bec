"""`xenlab logs` and `console` at work: which file is meant, and its bytes from the first on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import InputError
from xenlab.registry.record import LabRecord, list_lab_names, read_record
from xenlab.registry.selection import choose_lab
from xenlab.report.plain_text import EscapeFilter
from xenlab.topology.wording import did_you_mean, list_names, quote
from xenlab.waiting import Deadline, wait_until

CHUNK_BYTES = 1 << 16
FOR_EVER_S = 10 * 365 * 24 * 3600.0
CONSOLE_SUFFIX = ".console.log"
SUFFIX = ".log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log file, and the lab that writes it; None for what a failed lab left."""

    path: Path
    record: LabRecord | None

    @property
    def growing(self) -> bool:
        """Whether its writer lives."""
        if self.record is None:
            return False
        now = read_record(self.record.name)
        return now is not None and now.lab_id == self.record.lab_id and now.alive


def find_log(node: str, lab: str | None) -> Log:
    """The log of a node, or of the daemon; InputError with the logs there are."""
    record, folder = _find_folder(lab)
    known = {_name_of(path): path for path in sorted(folder.glob(f"*{SUFFIX}"))}
    if node not in known:
        hint = did_you_mean(node, known)
        raise InputError(f"no log of {quote(node)}{hint} (there are {list_names(known)})")
    return Log(path=known[node], record=record)


def print_log(log: Log, *, follow: bool) -> None:
    """Write the log to standard output; on a terminal without what could take hold of it."""
    plain = EscapeFilter() if sys.stdout.isatty() else None
    with log.path.open("rb") as file:
        for chunk in _read_chunks(file.read, log, follow=follow):
            _write(chunk if plain is None else plain.feed(chunk).encode())
    if plain is not None:
        _write(plain.feed(b"", final=True).encode())


def _find_folder(lab: str | None) -> tuple[LabRecord | None, Path]:
    from xenlab.life.artifacts import artifacts_folder, find_failures

    failures = find_failures()
    names = list_lab_names()
    if lab is None and not names and len(failures) == 1:
        lab = failures[0]
    if lab is not None and lab not in names and lab in failures:
        print(f"lab {lab} is not there: these are the logs of its last failure", file=sys.stderr)  # noqa: T201
        return None, artifacts_folder(lab) / "logs"
    record = choose_lab(lab)
    return record, record.places.logs


def _name_of(path: Path) -> str:
    """The word for a log: a node's name, `libvirtd`, `sandbox`; `qemu` for a machine's own."""
    if path.name.endswith(CONSOLE_SUFFIX):
        return path.name.removesuffix(CONSOLE_SUFFIX)
    name = path.name.removesuffix(SUFFIX)
    if name in {"libvirtd", "sandbox"}:
        return name
    return "qemu-peer" if name.endswith("-peer") else "qemu"


def _read_chunks(read: Callable[[int], bytes], log: Log, *, follow: bool) -> Iterator[bytes]:
    while chunk := read(CHUNK_BYTES):
        yield chunk
    ended = not follow

    def more() -> bytes | None:
        nonlocal ended
        growing = log.growing  # asked before the read: what came before the end is not missed
        chunk = read(CHUNK_BYTES)
        ended = not growing and not chunk
        return chunk if chunk or ended else None

    while not ended:
        yield wait_until(more, f"more in {log.path}", Deadline.after(FOR_EVER_S))


def _write(data: bytes) -> None:
    unwritten = memoryview(data)
    while unwritten:
        unwritten = unwritten[os.write(1, unwritten) :]
