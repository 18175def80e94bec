"""Debian's archive through apt with a state of our own: any suite, files checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.cache.disk import locked
from xenlab.debian.supply import PackageSupply, Request
from xenlab.errors import InputError, Unavailable
from xenlab.images.xen_image import choose_xen
from xenlab.kernel.packages import kernel_request
from xenlab.waiting import Deadline

SMALL = Request(suite="bookworm", packages=("ncurses-base",))
TIMEOUT_S = 300.0
SOON_S = 1.0


def supply_small(cache: Path) -> PackageSupply:
    return PackageSupply(
        cache=cache, report=print, offline=False, refresh=False, deadline=Deadline.after(TIMEOUT_S)
    )


@pytest.fixture(scope="module")
def supply(tmp_path_factory: pytest.TempPathFactory) -> PackageSupply:
    return supply_small(tmp_path_factory.mktemp("cache"))


def read_apt_state() -> dict[str, int]:
    """What apt on this host keeps, and when it was last written."""
    folders = (Path("/var/lib/apt"), Path("/var/cache/apt"), Path("/var/lib/dpkg"))
    return {
        str(path): path.stat().st_mtime_ns
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_packages_are_resolved_and_fetched_and_the_hosts_apt_is_left_alone(
    supply: PackageSupply,
) -> None:
    before = read_apt_state()

    packages = supply.resolve(SMALL)
    (path,) = supply.fetch("bookworm", packages)

    assert [package.name for package in packages] == ["ncurses-base"]
    assert path.stat().st_size == packages[0].size_bytes
    assert read_apt_state() == before


def test_nobody_waits_for_a_supply_that_asks_nothing(supply: PackageSupply) -> None:
    supply.fetch("bookworm", supply.resolve(SMALL))

    with locked(supply.cache / "apt" / "bookworm" / "lock", Deadline.after(SOON_S)):
        pass


def test_damaged_package_is_fetched_again(supply: PackageSupply) -> None:
    packages = supply.resolve(SMALL)
    (path,) = supply.fetch("bookworm", packages)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    assert supply.fetch("bookworm", packages) == (path,)
    assert path.read_bytes() == whole


def test_dependencies_come_along_but_not_those_to_do_without(supply: PackageSupply) -> None:
    request = Request(suite="bookworm", packages=("xen-utils-4.17",), without=("python3", "udev"))

    names = {package.name for package in supply.resolve(request)}

    assert {"xen-utils-4.17", "libxenmisc4.17", "libc6"} <= names
    assert not {"python3", "udev", "perl", "libpython3.11-minimal"} & names


def test_package_that_a_suite_lacks_is_refused_by_name(supply: PackageSupply) -> None:
    with pytest.raises(InputError, match=r"bookworm: .*xen-hypervisor-9\.99-amd64"):
        choose_xen(supply, "bookworm", "9.99")


def test_suite_that_does_not_exist_is_unavailable_by_name(tmp_path: Path) -> None:
    supply = supply_small(tmp_path)
    with pytest.raises(Unavailable, match="nosuchsuite"):
        supply.resolve(Request(suite="nosuchsuite", packages=("kmod",)))


@pytest.mark.parametrize(
    ("suite", "part"),
    [("bookworm", "linux-image"), ("trixie", "linux-image"), ("sid", "linux-binary")],
)
def test_suite_has_a_xen_and_a_kernel(supply: PackageSupply, suite: str, part: str) -> None:
    xen = choose_xen(supply, suite, None)
    kernel = supply.resolve(kernel_request(suite, "linux-image-amd64"))

    assert xen.package.name == f"xen-hypervisor-{xen.series}-amd64"
    assert all(package.name.startswith("linux-") for package in kernel)
    assert any(package.name.startswith(part) and package.size_bytes > 10**7 for package in kernel)
