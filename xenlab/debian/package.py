"""DebPackage: one version of one Debian package, and the cache of `.deb` files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.disk import disk_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class DebPackage:
    """A package as the signed index of its archive describes it."""

    name: str
    version: str
    architecture: str
    size_bytes: int
    sha256: str

    @property
    def file_name(self) -> str:
        """The name apt gives the file: the epoch's colon is escaped."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.architecture}.deb"

    @property
    def apt_name(self) -> str:
        """What names exactly this version on apt's command line."""
        return f"{self.name}:{self.architecture}={self.version}".replace(":all=", "=")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageCache:
    """The folder that holds `.deb` files, each checked against the index's SHA-256 when used."""

    folder: Path

    def path(self, package: DebPackage) -> Path:
        """Where the package's file is or would be."""
        return self.folder / package.file_name

    def missing(self, packages: Iterable[DebPackage]) -> tuple[DebPackage, ...]:
        """Those whose file is not here whole; a damaged one is set aside as `.bad`."""
        return tuple(package for package in packages if not self._is_whole(package))

    def _is_whole(self, package: DebPackage) -> bool:
        path = self.path(package)
        with disk_errors(path):
            if not path.is_file() or path.is_symlink():
                return False
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == package.sha256:
                    return True
            path.replace(path.with_name(path.name + ".bad"))
        return False
