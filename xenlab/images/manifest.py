"""Manifest: what an image is made of, read from `manifests/<role>.yaml`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import yaml
from pydantic import TypeAdapter

FOLDER = Path(__file__).parent


class Role(StrEnum):
    """Which domain an image is for."""

    DOM0 = "dom0"
    DOMU = "domu"

    @property
    def manifest_file(self) -> Path:
        """The shipped manifest."""
        return FOLDER / "manifests" / f"{self}.yaml"

    @property
    def rootfs_folders(self) -> tuple[Path, ...]:
        """The folders whose files go into the image as they are, later ones over earlier ones."""
        return (FOLDER / "rootfs" / "common", FOLDER / "rootfs" / str(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """Kernel modules by name; what they depend on comes with them."""

    required: tuple[str, ...]
    if_present: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemand:
    """What an image gets where a lab needs it, and is spared elsewhere."""

    packages: tuple[str, ...] = ()
    keep: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An image: packages, which of their files to keep, what is added, and kernel modules.

    `{xen}` in a package name stands for Xen's version series, such as 4.17. `without` names
    packages that dependencies ask for and the image does not need. `keep` and `drop` are globs over
    paths from the root, after the merge of /usr: a file is kept if it matches `keep` and not
    `drop`; shared libraries come in by need, `libraries` names those opened by dlopen. `links` maps
    paths to targets; `link_all` maps a folder to globs whose matches are linked into it.
    `on_demand` is by the kind of domU that needs it.
    """

    packages: tuple[str, ...]
    without: tuple[str, ...]
    keep: tuple[str, ...]
    drop: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    link_all: dict[str, tuple[str, ...]] = field(default_factory=dict)
    modules: Modules
    on_demand: dict[str, OnDemand] = field(default_factory=dict)

    def for_kinds(self, kinds: Collection[str]) -> Manifest:
        """The manifest of an image for domUs of these kinds, with nothing left to be asked for."""
        wanted = [more for kind, more in self.on_demand.items() if kind in kinds]
        return replace(
            self,
            packages=(*self.packages, *(name for more in wanted for name in more.packages)),
            keep=(*self.keep, *(glob for more in wanted for glob in more.keep)),
            on_demand={},
        )

    def package_names(self, xen_series: str) -> tuple[str, ...]:
        """The packages, with Xen's version series filled in."""
        return tuple(name.format(xen=xen_series) for name in self.packages)


def read_manifest(role: Role) -> Manifest:
    """The shipped manifest of a role; an error in it is a bug of ours, and ends as one."""
    return parse_manifest(role.manifest_file.read_text(encoding="utf-8"))


def parse_manifest(text: str) -> Manifest:
    """The manifest in a YAML text. Raises pydantic's ValidationError, naming every wrong field."""
    fields = yaml.load(text, Loader=yaml.CSafeLoader)
    return TypeAdapter(Manifest).validate_python(fields, extra="forbid")
