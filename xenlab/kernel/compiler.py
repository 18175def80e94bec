"""Compiler: gcc and make at work on a module, and their complaints made readable."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import DoesNotCompile, VersionUnavailable
from xenlab.kernel.headers import KernelHeaders
from xenlab.kernel.workbench import HostBench, Workbench
from xenlab.transport.process import run, which
from xenlab.waiting import Deadline

# All that Kbuild starts and that may be missing; objtool of linux-kbuild brings itself.
PROGRAMS = ("gcc", "make", "ld", "strip")

# Those of binutils that Kbuild has a variable for (linux/Makefile); gcc starts `as` itself.
BINUTILS = ("ar", "ld", "nm", "objcopy", "objdump", "readelf", "strip")

# path:line:column: error: text, as gcc writes it; the column is missing where the linker speaks
DIAGNOSTIC = re.compile(r"^(?P<path>[^\s:][^:]*):\d+:(?:\d+:)? (?:fatal )?error: ")
# What gcc shows below it: the line of source and marks under it, both behind a bar.
SHOWN = re.compile(r"^ +\d* \| ?")
MODPOST = re.compile(r"^ERROR: modpost: ")
MAKE = re.compile(r"^make(?:\[\d+\])?: ")
TAIL_LINES = 12
BARE = ".bare"
SHOWN_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """A compiler of this host or of a suite; `version` is part of what a module's bytes depend on.

    `gcc` is what the program is called where it is, at its bench.
    """

    version: str
    major: int
    gcc: str
    bench: Workbench

    @classmethod
    def find(cls, deadline: Deadline) -> Compiler:
        """The host's. Raises Unavailable, naming the package, if a program is missing."""
        for program in PROGRAMS:
            which(program)
        answer = run(("gcc", "--version"), deadline=deadline).require_success()
        version = answer.text.splitlines()[0]
        major = re.search(r"(\d+)\.\d+", version.rpartition(")")[2])
        assert major is not None, version
        return cls(version=version, major=int(major[1]), gcc="gcc", bench=HostBench())

    def require_for(self, headers: KernelHeaders) -> None:
        """VersionUnavailable if a kernel was made with options that this compiler does not know."""
        if self.major < headers.gcc_major:
            raise VersionUnavailable(
                f"Linux {headers.release} was made by gcc {headers.gcc_major}; modules for it need"
                f" that or a newer one, and there is {self.version}"
            )

    def make(self, headers: KernelHeaders, folder: Path, target: str, deadline: Deadline) -> None:
        """Build `modules`, or one file, of a folder in place, by its Kbuild file or Makefile.

        Raises DoesNotCompile with every error of the compiler, its line of source and the marks
        below it. Paths of this host stay out of what is built, so the same source gives the same
        bytes.
        """
        self.require_for(headers)
        place = self.bench.place(headers.folder, folder)
        maps = f"-ffile-prefix-map={place.folder}=. -ffile-prefix-map={place.headers}=."
        # Debian's headers name the version of gcc that built the kernel, there may be another; and
        # in newer suites binutils by the names that they have for those who cross-compile.
        named = (f"CC={self.gcc}", *(f"{name.upper()}={name}" for name in BINUTILS))
        words = (*named, f"KCFLAGS={maps}", f"KAFLAGS={maps}")
        build = place.headers / headers.build.relative_to(headers.folder)
        # Each file's messages in one piece, though several files are compiled at a time.
        argv = ("make", "--no-print-directory", "-s", f"-j{count_cpus()}", "--output-sync=target")
        where = ("-C", str(build), f"M={place.folder}")
        result = place.run((*argv, *where, *words, target), deadline)
        if result.status != 0:
            problems = tuple(find_problems(result.stderr.decode(errors="replace"), place.folder))
            raise DoesNotCompile(*problems)

    def strip(self, headers: KernelHeaders, module: Path, target: Path, deadline: Deadline) -> None:
        """Put a built module without its debug sections in another place of the same disk."""
        place = self.bench.place(headers.folder, module.parent)
        bare = f"{module.name}{BARE}"
        names = (str(place.folder / bare), str(place.folder / module.name))
        place.run(("strip", "--strip-debug", "-o", *names), deadline).require_success()
        module.with_name(bare).replace(target)


def count_cpus() -> int:
    """How many programs can run here at a time."""
    return len(os.sched_getaffinity(0))


def find_problems(messages: str, folder: Path) -> Iterator[str]:
    """Each error in what make wrote, paths from the folder on; where none is found, its end."""
    lines = [line.replace(f"{folder}/", "") for line in messages.splitlines()]
    found = False
    for number, line in enumerate(lines):
        if DIAGNOSTIC.match(line) or MODPOST.match(line):
            found = True
            shown = [line, *_shown_below(lines[number + 1 :])]
            yield "\n".join(shown)
    if not found:
        said = [line for line in lines if not MAKE.match(line)] or lines
        yield "\n".join(said[-TAIL_LINES:]) or "make failed and said nothing"


def _shown_below(lines: list[str]) -> Iterator[str]:
    for line in lines[:SHOWN_LINES]:
        if not SHOWN.match(line):
            return
        yield line
