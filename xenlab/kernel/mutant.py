"""Mutant: a patch that plants a bug in a driver, or rewrites it harmlessly, and says what of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from xenlab.errors import InputError
from xenlab.kernel.driver import DriverChoice, DriverKind
from xenlab.kernel.shelf import shelf
from xenlab.topology.wording import did_you_mean, list_names, quote

SUBJECT, BREAKS, SHOWS, ORIGIN = "Subject", "Breaks", "Shows", "Origin"
SUITES, EQUIVALENT, SAME = "Suites", "Equivalent", "Same"
MUTANT_FIELDS = (SUBJECT, BREAKS, SHOWS, ORIGIN)
HARMLESS_FIELDS = (SUBJECT, SAME)
HARMLESS = "harmless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One patch. Of a planted bug `breaks` says what it does and `shows` what a test should see.

    `origin` names the upstream commit that it reverts or imitates, `suites` those that should see
    it first, `equivalent` why nothing can be observed, if so. Of a harmless rewrite `same` says why
    it changes nothing.
    """

    name: str
    path: Path
    kind: DriverKind
    breaks: str = ""
    shows: str = ""
    origin: str = ""
    suites: tuple[str, ...] = ()
    equivalent: str = ""
    same: str = ""

    @property
    def harmless(self) -> bool:
        """Whether every test has to pass with it."""
        return bool(self.same)

    @property
    def label(self) -> str:
        """What it is called on a command line and in a table."""
        return f"{HARMLESS}/{self.name}" if self.harmless else self.name

    @property
    def choice(self) -> DriverChoice:
        """The driver with this patch. Raises InputError for one on anything else."""
        try:
            return DriverChoice.parse(self.kind, str(self.path))
        except InputError as error:  # what it says to try are options of other commands
            raise InputError(*error.problems) from error

    @classmethod
    def read(cls, path: Path) -> Mutant:
        """The mutant in a file named `DRIVER-WHAT.patch`, with its header as that of a mail.

        Raises InputError with the fields that are missing.
        """
        # The header alone is read: what the patch itself holds is for those who apply it.
        head = HeaderParser().parsestr(path.read_text(encoding="utf-8", errors="replace"))
        fields = {name: " ".join(str(value).split()) for name, value in head.items()}
        wanted = HARMLESS_FIELDS if path.parent.name == HARMLESS else MUTANT_FIELDS
        missing = [name for name in wanted if not fields.get(name)]
        if missing:
            raise InputError(
                f"{path}: the header has no {list_names(missing)}; one that has all:"
                f" {_find_example(path)}"
            )
        driver = path.name.partition("-")[0]
        if driver not in list(DriverKind):
            raise InputError(f"{path}: the name does not begin with {list_names(DriverKind)}")
        return cls(
            name=path.stem,
            path=path,
            kind=DriverKind(driver),
            breaks=fields.get(BREAKS, ""),
            shows=fields.get(SHOWS, ""),
            origin=fields.get(ORIGIN, ""),
            suites=tuple(fields.get(SUITES, "").split()),
            equivalent=fields.get(EQUIVALENT, ""),
            same=fields.get(SAME, ""),
        )


def mutants_folder() -> Path:
    """Where those lie that come with xenlab."""
    return shelf() / "mutants"


def read_mutants() -> tuple[Mutant, ...]:
    """All that come with xenlab: the planted bugs by name, then the harmless rewrites."""
    folder = mutants_folder()
    paths = (*sorted(folder.glob("*.patch")), *sorted(folder.glob(f"{HARMLESS}/*.patch")))
    return tuple(map(Mutant.read, paths))


def choose_mutants(words: Sequence[str]) -> tuple[Mutant, ...]:
    """The mutants of these names, or in these files; all where there is no word.

    A harmless rewrite may have the name of a mutant with `harmless/` before it. Raises InputError.
    """
    known = {mutant.label: mutant for mutant in read_mutants()}
    if not words:
        return tuple(known.values())
    chosen: list[Mutant] = []
    for word in words:
        if word in known:
            chosen.append(known[word])
        elif word == HARMLESS:
            chosen += [mutant for mutant in known.values() if mutant.harmless]
        elif Path(word).is_file():
            chosen.append(Mutant.read(Path(word).absolute()))
        else:
            harmless = sum(mutant.harmless for mutant in known.values())
            raise InputError(
                f"no mutant and no file {quote(word)}{did_you_mean(word, known)} (there are"
                f" {len(known) - harmless}, and {harmless} harmless ones, in {mutants_folder()})"
            )
    return tuple(chosen)


def _find_example(path: Path) -> Path:
    """A mutant of ours with the header that one in a file of that name needs."""
    folder = mutants_folder() / HARMLESS if path.parent.name == HARMLESS else mutants_folder()
    return min(folder.glob("*.patch"))
