"""Decoding: the frames of a kernel's trace as lines of its source, by files with debug info."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from xenlab.errors import InputError
from xenlab.kernel.work_tree import SOURCE
from xenlab.transport.process import run
from xenlab.waiting import Deadline

VMLINUX = "vmlinux"

# function+offset/size [module], as lib/vsprintf.c prints %pS and %pB; with STACKTRACE_BUILD_ID
# the build id follows the module's name.
FRAME = re.compile(
    r"(?P<function>[A-Za-z_][\w.$]*)\+0x(?P<offset>[0-9a-f]+)/0x(?P<size>[0-9a-f]+)"
    r"(?: \[(?P<module>[\w-]+)(?: [0-9a-f]+)?\])?"
)
# Here the address itself is meant; any other frame holds where a call returns to, one too far.
EXACT = re.compile(r"\s*(?:RIP: |BUG: |WARNING: )")
UNKNOWN = "??"
# Kbuild names a module's sources `./name.c`, and those of a kernel beside whose source it builds
# `../source/name.c`, or as they are mapped, which is `./name.c` again.
ROOT = re.compile(rf"(?:^|/)\./|/\.\./{SOURCE}/")
# What a decoded line begins with.
PLACE = "    at "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    """Where a function begins in its section, and how far it is to the next symbol there."""

    section: str
    start: int
    size: int
    extent: int
    is_last: bool

    def is_meant(self, size: int) -> bool:
        """Whether kallsyms, in whose eyes a function ends where the next symbol begins, says so.

        That of the last one in a section lies in another section, or at the end of a page.
        """
        return size >= self.size if self.is_last else size == self.extent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """An address in a file with debug info."""

    path: Path
    section: str
    address: int


def decode_trace(
    lines: Sequence[str], files: Mapping[str, Path], deadline: Deadline
) -> tuple[str, ...]:
    """The lines, each with a frame followed by where in the source that is, inlined calls first.

    `files` has those with debug info by the module's name, the kernel's own as `vmlinux`; only
    those that a frame names are read. A frame
    stays as it is where no file knows it, or where its function has another size than in the file,
    which then is of another build: no line is better than a wrong one.
    """
    named = {frame["module"] or VMLINUX for frame in map(FRAME.search, lines) if frame}
    symbols = {module: _read_functions(files[module]) for module in named & files.keys()}
    spots = [_find_spot(line, files, symbols) for line in lines]
    places = _locate({spot for spot in spots if spot is not None}, deadline)
    decoded = []
    for line, spot in zip(lines, spots, strict=True):
        decoded.append(line)
        if spot in places:
            decoded.append(f"{PLACE}{', inlined at '.join(places[spot])}")
    return tuple(decoded)


def name_places(decoded: Sequence[str]) -> Iterator[str]:
    """Function and place of each frame that was decoded."""
    for line, place in pairwise(decoded):
        frame = FRAME.search(line)
        if frame is not None and place.startswith(PLACE):
            yield f"{frame['function']} {place.strip()}"


def _find_spot(
    line: str, files: Mapping[str, Path], symbols: Mapping[str, Mapping[str, list[_Function]]]
) -> _Spot | None:
    frame = FRAME.search(line)
    module = (frame["module"] or VMLINUX) if frame else ""
    if frame is None or module not in files:
        return None
    size, offset = int(frame["size"], 16), int(frame["offset"], 16)
    meant = [each for each in symbols[module].get(frame["function"], ()) if each.is_meant(size)]
    if len(meant) != 1:
        return None
    address = meant[0].start + offset - (0 if EXACT.match(line) else 1)
    return _Spot(path=files[module], section=meant[0].section, address=address)


def _read_functions(path: Path) -> Mapping[str, list[_Function]]:
    """Every function of a file by name: static ones of several sources may share one."""
    found: dict[str, list[_Function]] = defaultdict(list)
    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            table = elf.get_section_by_name(".symtab")
            if isinstance(table, SymbolTableSection):
                for name, function in _functions(elf, table):
                    found[name].append(function)
    except (OSError, ELFError) as error:
        raise InputError(f"{path}: cannot be read for its symbols: {error}") from error
    return found


def _functions(elf: ELFFile, table: SymbolTableSection) -> Iterator[tuple[str, _Function]]:
    code = [
        symbol
        for symbol in table.iter_symbols()
        if symbol["st_info"]["type"] in {"STT_FUNC", "STT_NOTYPE", "STT_OBJECT"}
        and isinstance(symbol["st_shndx"], int)
        and symbol.name
    ]
    code.sort(key=lambda symbol: (symbol["st_shndx"], symbol["st_value"]))
    for index, symbols in groupby(code, key=lambda symbol: int(symbol["st_shndx"])):
        section = elf.get_section(index)
        own = list(symbols)
        starts = sorted({int(symbol["st_value"]) for symbol in own})
        ends = dict(pairwise(starts))
        for symbol in own:
            start = int(symbol["st_value"])
            yield symbol.name, _Function(
                section=section.name, start=start - int(section["sh_addr"]),
                size=int(symbol["st_size"]), extent=ends.get(start, start) - start,
                is_last=start not in ends,
            )  # fmt: skip


def _locate(spots: set[_Spot], deadline: Deadline) -> Mapping[_Spot | None, tuple[str, ...]]:
    """The source lines of each address that has any, the innermost of inlined calls first."""
    found: dict[_Spot | None, tuple[str, ...]] = {}
    by_section: dict[tuple[Path, str], list[_Spot]] = defaultdict(list)
    for spot in spots:
        by_section[spot.path, spot.section].append(spot)
    for (path, section), own in by_section.items():
        addresses = [f"{spot.address:#x}" for spot in own]
        argv = ["addr2line", "-a", "-i", "-j", section, "-e", str(path), *addresses]
        answer = run(argv, deadline=deadline).require_success()
        found |= zip(own, _split_answer(answer.text), strict=True)
    return {spot: places for spot, places in found.items() if not places[0].startswith(UNKNOWN)}


def _split_answer(text: str) -> Iterator[tuple[str, ...]]:
    """What addr2line says of each address: its own line begins with 0x, the places follow."""
    for told in re.split(r"^0x[0-9a-f]+\n", text, flags=re.MULTILINE)[1:]:
        yield tuple(_shorten(place) for place in told.splitlines())


def _shorten(place: str) -> str:
    """From where the module's own folder or the kernel's source begins."""
    return ROOT.split(place.partition(" (discriminator")[0])[-1]
