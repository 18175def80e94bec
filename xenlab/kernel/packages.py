"""The Debian packages of a kernel: the kernel, its headers, its source, all of one version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from xenlab.debian.package import DebPackage
from xenlab.debian.supply import PackageSupply, Request
from xenlab.errors import InputError

# Goes up when the same packages would give other bytes than before.
BUILDER_VERSION = 3

# What a kernel package asks for and a kernel under Xen, booted by us, does not need.
WITHOUT = ("kmod", "linux-base", "initramfs-tools")

# Of all that headers ask for; the compiler is the host's own.
HEADERS = re.compile(r"linux-(?:headers|kbuild)-\S+")
SOURCE = re.compile(r"linux-source-\d\S*")

# Headers depend on the compiler that made the kernel: gcc-12, in newer suites by another package
# that has only links to it. objtool of linux-kbuild needs libelf, by whatever name.
GCC = re.compile(r"gcc-(\d+)(?:-x86-64-linux-gnu)?")
LIBELF = re.compile(r"libelf\d\w*")

# linux-image-6.1.0-56-amd64, but not the meta package linux-image-amd64
IMAGE = re.compile(r"linux-image-(\d\S*)")
SERIES = re.compile(r"(?:\d+:)?(\d+\.\d+)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelVersion:
    """Which kernel a request came to: its release (`uname -r`) and its packages' version."""

    release: str
    package_version: str

    @property
    def headers(self) -> str:
        """The package of its headers, as apt is asked for exactly that one."""
        return f"linux-headers-{self.release}={self.package_version}"

    @property
    def source(self) -> str:
        """The package of its source, as apt is asked for exactly that one."""
        series = SERIES.match(self.package_version)
        assert series is not None, self.package_version
        return f"linux-source-{series[1]}={self.package_version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompilerPackages:
    """By which names a suite has the gcc that made a kernel, and the libraries of its objtool."""

    gcc: str
    libraries: tuple[str, ...]

    @property
    def major(self) -> int:
        """The version of gcc as headers tell it."""
        found = GCC.fullmatch(self.gcc)
        assert found is not None, self.gcc
        return int(found[1])

    @property
    def program(self) -> str:
        """The name of the program itself; everything else that starts it is a link."""
        return f"x86_64-linux-gnu-gcc-{self.major}"


def kernel_request(suite: str, package: str) -> Request:
    """The packages that a kernel consists of; `package` may be a meta package."""
    return Request(suite=suite, packages=(package,), without=WITHOUT)


def headers_request(suite: str, version: KernelVersion) -> Request:
    """The headers of exactly this version, and all that they depend on."""
    return Request(suite=suite, packages=(version.headers,))


def read_version(packages: Iterable[DebPackage], asked: str) -> KernelVersion:
    """The version of the kernel among the packages. Raises InputError if none of them is one."""
    for package in packages:
        image = IMAGE.fullmatch(package.name)
        if image is not None:
            return KernelVersion(release=image[1], package_version=package.version)
    raise InputError(f"{asked}: no Debian kernel, so there are no headers to build modules against")


def resolve_headers(
    supply: PackageSupply, suite: str, version: KernelVersion
) -> tuple[DebPackage, ...]:
    """The packages of its headers and of the programs that build with them, but no compiler."""
    asked = supply.resolve(headers_request(suite, version))
    return tuple(package for package in asked if HEADERS.fullmatch(package.name))


def read_compiler(asked: Iterable[DebPackage]) -> CompilerPackages | None:
    """The compiler among what headers depend on; None if that is no gcc."""
    names = [package.name for package in asked]
    found = [name for name in names if GCC.fullmatch(name)]
    if not found:
        return None
    libraries = tuple(name for name in names if LIBELF.fullmatch(name))
    return CompilerPackages(gcc=max(found, key=len), libraries=libraries)


def resolve_source(
    supply: PackageSupply, suite: str, version: KernelVersion
) -> tuple[DebPackage, ...]:
    """The package with its source as Debian built it: one archive in it."""
    asked = supply.resolve(Request(suite=suite, packages=(version.source,)))
    return tuple(package for package in asked if SOURCE.fullmatch(package.name))


def resolve_newest_source(
    supply: PackageSupply, suite: str, package: str
) -> tuple[DebPackage, ...]:
    """The package with a suite's kernel source; `package` may be the meta package of the newest."""
    asked = supply.resolve(Request(suite=suite, packages=(package,)))
    found = tuple(one for one in asked if SOURCE.fullmatch(one.name))
    if not found:
        raise InputError(f"{suite}: {package} brings no source of a kernel")
    return found


def package_inputs(packages: tuple[DebPackage, ...]) -> dict[str, object]:
    """What decides what comes out of packages."""
    return {
        "builder": BUILDER_VERSION,
        "packages": [[package.apt_name, package.sha256] for package in packages],
    }
