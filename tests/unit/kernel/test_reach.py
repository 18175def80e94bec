"""Which way a series takes to a lab, decided by the files that it changes, and why it says so."""

from __future__ import annotations

import pytest

from xenlab.kernel.driver import SHARED_HEADERS, DriverKind, Reach

NETFRONT = "drivers/net/xen-netfront.c"
NETBACK = "drivers/net/xen-netback/rx.c"
FRONT, BACK = DriverKind.NETFRONT, DriverKind.NETBACK


@pytest.mark.parametrize(
    ("files", "drivers"),
    [
        ((NETFRONT,), (FRONT,)),
        ((NETBACK, "drivers/net/xen-netback/new.c"), (BACK,)),
        ((NETBACK, NETFRONT), (FRONT, BACK)),
        (SHARED_HEADERS, (FRONT, BACK)),
        ((*SHARED_HEADERS, NETFRONT), (FRONT, BACK)),
        ((NETFRONT, "Documentation/networking/xen.rst", "MAINTAINERS"), (FRONT,)),
    ],
)
def test_drivers_and_what_only_they_use_are_built_as_modules(
    files: tuple[str, ...], drivers: tuple[DriverKind, ...]
) -> None:
    reach = Reach.of(files)

    assert reach.is_drivers_only
    assert reach.drivers == drivers
    assert all(kind.module in reach.why for kind in drivers)
    assert "module" in reach.why


@pytest.mark.parametrize(
    "file",
    [
        "net/core/skbuff.c",
        "drivers/net/Kconfig",
        "drivers/net/xen-netfront.h",
        "drivers/net/xen-netback.c",
        "include/xen/interface/io/ring.h",
        "drivers/net/xen-netfrontend/x.c",
    ],
)
def test_anything_else_takes_a_whole_kernel_and_is_named(file: str) -> None:
    reach = Reach.of((NETFRONT, file))

    assert not reach.is_drivers_only
    assert reach.elsewhere == (file,)
    assert file in reach.why
    assert "whole kernel" in reach.why


def test_several_files_outside_are_named_in_the_plural() -> None:
    assert Reach.of(("a.c", "b.c")).why.startswith("`a.c`, `b.c` are outside the two drivers")


def test_words_alone_change_no_kernel() -> None:
    reach = Reach.of(("Documentation/networking/xen.rst",))

    assert not reach.is_drivers_only
    assert "nothing that a kernel is built from" in reach.why
