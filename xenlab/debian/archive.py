"""PackageArchive: one Debian suite seen through apt, with a state folder that is ours alone.

The host's apt gives mirror, keys, proxy and credentials; its state is neither read nor written.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from xenlab.cache.disk import disk_errors, locked, make_folder, require_room, write_whole
from xenlab.debian.package import DebPackage, PackageCache
from xenlab.debian.sources import ARCHITECTURE, read_host_sources, sources_of_suite
from xenlab.errors import InputError, VersionUnavailable
from xenlab.transport.process import run
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

# The index of one suite as apt keeps it: 9 MB fetched, 50 MB unpacked, and apt's own cache of it.
INDEX_BYTES = 150_000_000

# 'address' file_name size SHA256:digest
URI_LINE = re.compile(r"'[^']+' (\S+)_([^_\s]+)_(\w+)\.deb (\d+) SHA256:([0-9a-f]{64})")

CONFIGURATION = """\
Dir::State "{folder}/state";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Cache::archives "{folder}/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{folder}/sources.list.d";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::ForceHash "SHA256";
"""

# What of the host's configuration says how to reach an archive; the rest is about what to fetch.
HOST_LINE = re.compile(r"Acquire::(?!IndexTargets|Changelogs|Languages|ForceHash)\S+ ")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageArchive:
    """An open archive: what it has, what a package needs, and the files themselves."""

    suite: str
    folder: Path
    deadline: Deadline

    def fields(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """The control fields of the newest version of each package that the suite has."""
        shown = self._apt("apt-cache", "show", "--no-all-versions", *names).text
        stanzas = (
            dict(re.findall(r"^([\w-]+): (.*)$", stanza, re.MULTILINE))
            for stanza in shown.split("\n\n")
        )
        return {fields["Package"]: fields for fields in stanzas if fields}

    def names(self, prefix: str) -> tuple[str, ...]:
        """All package names that begin so."""
        return tuple(sorted(self._apt("apt-cache", "pkgnames", prefix).text.split()))

    def resolve(self, wanted: Sequence[str], without: Sequence[str]) -> tuple[DebPackage, ...]:
        """The packages wanted and all they depend on, but nothing that only `without` needs.

        apt is told that the packages in `without` are installed already. Raises InputError with
        apt's own words if the suite cannot provide what is wanted.
        """
        self._pretend_installed(without)
        result = self._apt("apt-get", "install", "-y", "-qq", "--print-uris", *wanted)
        if result.status != 0:
            problem = result.stderr.decode(errors="replace").strip() + "\n" + result.text.strip()
            raise InputError(
                f"{self.suite}: {' '.join(wanted)}: {problem.strip()}",
                try_next="xenlab images build --refresh",
            )
        packages = (
            DebPackage(
                name=name,
                version=unquote(version),
                architecture=architecture,
                size_bytes=int(size),
                sha256=sha256,
            )
            for name, version, architecture, size, sha256 in URI_LINE.findall(result.text)
        )
        return tuple(sorted(packages, key=lambda package: package.name))

    def fetch(self, packages: Sequence[DebPackage], cache: PackageCache) -> None:
        """Bring the packages' files into the cache; apt checks them against the signed index."""
        arriving = self.folder / "arriving"
        with disk_errors(arriving):
            shutil.rmtree(arriving, ignore_errors=True)
            make_folder(arriving)
            make_folder(cache.folder)
        require_room(arriving, sum(package.size_bytes for package in packages))
        names = [package.apt_name for package in packages]
        result = self._apt("apt-get", "download", "-qq", *names, cwd=arriving)
        if result.status != 0:
            require_room(arriving, sum(package.size_bytes for package in packages))
            raise VersionUnavailable(
                f"{self.suite}: packages could not be fetched: "
                + result.stderr.decode(errors="replace").strip(),
                try_next="xenlab images build --refresh",
            )
        for package in packages:
            self._take_in(arriving / package.file_name, cache.path(package))

    def update(self) -> None:
        """Fetch the suite's indexes and check their signatures."""
        require_room(self.folder, INDEX_BYTES)
        result = self._apt("apt-get", "update", "-qq", "--error-on=any")
        if result.status != 0:
            require_room(self.folder, INDEX_BYTES)
            raise VersionUnavailable(
                f"{self.suite}: apt could not read the archive: "
                + result.stderr.decode(errors="replace").strip(),
                try_next="apt-get update",
            )
        write_whole(self.folder / "updated", b"")

    def _take_in(self, arrived: Path, path: Path) -> None:
        """Move a checked file to its name in the cache, content on the disk before the name."""
        with disk_errors(path):
            with arrived.open("rb") as file:
                os.fsync(file.fileno())
            arrived.replace(path)

    def _pretend_installed(self, names: Sequence[str]) -> None:
        write_whole(self.folder / "status", b"")
        if not names:
            return
        known = self.fields(names)
        stanzas = [
            {
                "Package": name,
                "Status": "install ok installed",
                "Maintainer": "nobody",
                "Architecture": ARCHITECTURE,
                "Multi-Arch": known.get(name, {}).get("Multi-Arch", "foreign"),
                "Version": known.get(name, {}).get("Version", "0"),
                "Provides": known.get(name, {}).get("Provides", ""),
                "Description": "not wanted in the image",
            }
            for name in names
        ]
        text = "\n".join(
            "".join(f"{field}: {value}\n" for field, value in stanza.items() if value)
            for stanza in stanzas
        )
        write_whole(self.folder / "status", text.encode())

    def _apt(self, *argv: str, cwd: Path | None = None) -> CommandResult:
        env = {"APT_CONFIG": str(self.folder / "apt.conf"), "DEBIAN_FRONTEND": "noninteractive"}
        return run(argv, deadline=self.deadline, env=env, cwd=cwd)


@contextmanager
def open_archive(
    suite: str, folder: Path, *, report: Callable[[str], None], refresh: bool, deadline: Deadline
) -> Iterator[PackageArchive]:
    """The suite's archive with its state in `folder`, for one process at a time.

    The indexes are fetched if they never were, if the host's sources changed, or on `refresh`.
    """
    for name in ("state", "lists/partial", "cache", "archives/partial", "sources.list.d"):
        make_folder(folder / name)
    write_whole(folder / "status", b"")
    with locked(folder / "lock", deadline):
        archive = PackageArchive(suite=suite, folder=folder, deadline=deadline)
        configured = _configure(archive)
        if refresh or not configured or not (folder / "updated").exists():
            report(f"reading the package index of {suite}")
            archive.update()
        yield archive


def _configure(archive: PackageArchive) -> bool:
    """Write apt's configuration and sources; whether they were the same already."""
    dump = run(("apt-config", "dump"), deadline=archive.deadline).require_success().text
    reach = [line for line in dump.splitlines() if HOST_LINE.match(line)]
    own = CONFIGURATION.format(folder=archive.folder, architecture=ARCHITECTURE)
    host_sources = read_host_sources(archive.deadline)
    stanzas = [source.render() for source in sources_of_suite(host_sources, archive.suite)]
    same = True
    for name, text in (
        ("apt.conf", "\n".join((*reach, own))),
        ("sources.list.d/debian.sources", "\n".join(stanzas)),
    ):
        path = archive.folder / name
        same = same and path.is_file() and path.read_text(encoding="utf-8") == text
        write_whole(path, text.encode())
    return same
