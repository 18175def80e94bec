"""Where Debian packages come from: the host's own apt sources, turned towards any suite."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass, replace
from pathlib import Path

from xenlab.errors import Unavailable
from xenlab.transport.process import run
from xenlab.waiting import Deadline

ARCHITECTURE = "amd64"

# Suites that have neither a security nor an updates archive.
ROLLING_SUITES = ("sid", "unstable", "experimental")

TARGET_FIELDS = ("ORIGIN", "RELEASE", "REPO_URI", "COMPONENT", "ARCHITECTURE", "SOURCESENTRY")

SIGNED_BY_OPTION = re.compile(r"\[[^\]]*\bsigned-by=([^\]\s]+)", re.IGNORECASE)
SIGNED_BY_FIELD = re.compile(r"^Signed-By:(.*(?:\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianSource:
    """One Debian archive that apt knows: address, suite (`bookworm-security`), components, keys."""

    address: str
    suite: str
    components: tuple[str, ...]
    signed_by: str

    @property
    def pocket(self) -> str:
        """`-security`, `-updates`, ... or nothing for the suite itself."""
        _base, dash, pocket = self.suite.partition("-")
        return dash + pocket

    def render(self) -> str:
        """The deb822 stanza that apt reads."""
        fields = {
            "Types": "deb",
            "URIs": self.address,
            "Suites": self.suite,
            "Components": " ".join(self.components),
            "Architectures": ARCHITECTURE,
            "Signed-By": self.signed_by,
        }
        return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def read_host_sources(deadline: Deadline) -> tuple[DebianSource, ...]:
    """The Debian archives in this host's apt configuration. Raises Unavailable if there is none."""
    targets = _read_targets((), deadline)
    if not targets:  # never updated: apt names what it would fetch when told not to look at it
        targets = _read_targets(("--no-release-info",), deadline)
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    sources: dict[tuple[str, str], DebianSource] = {}
    for origin, suite, address, component, architecture, entry in targets:
        unknown = origin.startswith("$")  # apt leaves a field that it does not know as it is
        ours = suite.partition("-")[0] == codename if unknown else origin == "Debian"
        if not ours or architecture != ARCHITECTURE:
            continue
        source = sources.get((address, suite)) or DebianSource(
            address=address, suite=suite, components=(), signed_by=_read_signed_by(entry)
        )
        sources[address, suite] = replace(source, components=(*source.components, component))
    if not sources:
        raise Unavailable(
            "apt on this host knows no Debian archive to take Xen and kernels from",
            try_next="add a Debian entry to /etc/apt/sources.list.d and run apt-get update",
        )
    return tuple(sources.values())


def sources_of_suite(
    host_sources: tuple[DebianSource, ...], suite: str
) -> tuple[DebianSource, ...]:
    """The host's Debian archives with `suite` in place of the host's own, sorted and unique."""
    turned = {
        replace(source, suite=suite + source.pocket)
        for source in host_sources
        if source.pocket in ("", "-updates", "-security")
        and not (source.pocket and suite in ROLLING_SUITES)
    }
    return tuple(sorted(turned, key=lambda source: (source.suite, source.address)))


def _read_targets(options: tuple[str, ...], deadline: Deadline) -> list[list[str]]:
    """One row of TARGET_FIELDS for each Packages index that apt knows."""
    form = "\t".join(f"$({field})" for field in TARGET_FIELDS)
    argv = ("apt-get", "indextargets", *options, "--format", form, "Created-By: Packages")
    text = run(argv, deadline=deadline).require_success().text
    return [line.split("\t") for line in text.splitlines()]


def _read_signed_by(entry: str) -> str:
    """The Signed-By value of the source entry `file:number`, as it stands, or nothing."""
    name, _, number = entry.rpartition(":")
    path = Path(name)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".list":
        option = SIGNED_BY_OPTION.search(text.splitlines()[int(number) - 1])
        return option.group(1).replace(",", " ") if option else ""
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    stanzas = [stanza for stanza in re.split(r"\n[ \t]*\n", bare) if stanza.strip()]
    field = SIGNED_BY_FIELD.search(stanzas[int(number) - 1])
    return field.group(1).strip(" \t") if field else ""
