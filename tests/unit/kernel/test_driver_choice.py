"""What --netfront and --netback may be told, and what is refused before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.kernel.elf import make_elf
from tests.unit.kernel.test_module_file import MODINFO, SECTIONS
from tests.unit.kernel.test_patch_series import GOOD, NAME, write
from xenlab.errors import InputError
from xenlab.kernel.driver import DriverChoice, DriverKind
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.shelf import find_module, list_series, shelf
from xenlab.topology.kernel_words import KernelWords
from xenlab.topology.model import KernelSpec

NETBACK = "drivers/net/xen-netback/netback.c"


def test_stock_is_the_kernels_own() -> None:
    assert DriverChoice.parse(DriverKind.NETBACK, "stock").is_stock


WHOLE_KERNEL = ["max-skb-frags"]


@pytest.mark.parametrize("name", WHOLE_KERNEL)
def test_shipped_series_beyond_the_drivers_takes_a_whole_kernel(name: str) -> None:
    with pytest.raises(InputError, match="takes a whole kernel"):
        DriverChoice.parse(DriverKind.NETFRONT, name)


@pytest.mark.parametrize("name", sorted({*list_series()} - {*WHOLE_KERNEL}))
def test_shipped_series_is_found_by_its_short_name_and_reads_well(name: str) -> None:
    series = PatchSeries.read(shelf() / "patches" / name)
    kinds = [kind for kind in DriverKind if any(f.startswith(kind.sources) for f in series.files)]

    choices = [DriverChoice.parse(kind, name) for kind in kinds]

    assert choices
    assert {choice.name for choice in choices} == {name}


def test_limit_series_is_shipped() -> None:
    assert "netfront-slots-limit" in list_series()


def test_patch_file_and_folder_are_taken(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)

    for where in (path, tmp_path):
        choice = DriverChoice.parse(DriverKind.NETFRONT, str(where))
        assert choice.series is not None
        assert choice.series.files == (NAME,)


def test_unknown_word_gets_the_one_that_was_meant() -> None:
    with pytest.raises(InputError, match="did you mean `netfront-slots-limit`"):
        DriverChoice.parse(DriverKind.NETFRONT, "netfront-slot-limit")


def test_series_on_the_other_driver_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace(NAME, NETBACK))

    assert DriverChoice.parse(DriverKind.NETBACK, str(path)).name == "0001-a-change"
    with pytest.raises(InputError, match=r"nothing of xen_netfront .*, but xen_netback") as told:
        DriverChoice.parse(DriverKind.NETFRONT, str(path))
    assert told.value.try_next == f"--netback {path}"


def test_series_on_no_driver_is_refused_without_another_to_try(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace(NAME, "Documentation/networking/xen.rst"))

    with pytest.raises(InputError, match="changes nothing of xen_netback") as told:
        DriverChoice.parse(DriverKind.NETBACK, str(path))
    assert told.value.try_next == ""


@pytest.mark.parametrize("kind", list(DriverKind))
def test_only_series_that_can_be_on_a_driver_are_listed_for_it(kind: DriverKind) -> None:
    with pytest.raises(InputError, match="no such file") as told:
        DriverChoice.parse(kind, "zzz")

    listed = str(told.value).partition("there are ")[2].rstrip(")").replace("`", "").split(", ")
    taken = [name for name in list_series() if is_taken(kind, name)]
    assert listed == ["stock", *taken]
    assert 0 < len(taken) < len(list_series())


def is_taken(kind: DriverKind, name: str) -> bool:
    try:
        return bool(DriverChoice.parse(kind, name))
    except InputError:
        return False


@pytest.mark.parametrize(
    ("kind", "option"),
    [(DriverKind.NETFRONT, "--domu-kernel"), (DriverKind.NETBACK, "--dom0-kernel")],
)
def test_series_beyond_the_drivers_is_told_the_kernel_that_would_have_it(
    tmp_path: Path, kind: DriverKind, option: str
) -> None:
    path = write(tmp_path, GOOD.replace(NAME, "net/core/skbuff.c"), "a+b.patch")

    with pytest.raises(InputError, match="takes a whole kernel") as told:
        DriverChoice.parse(kind, str(path))

    assert told.value.try_next == f"{option} bookworm+{tmp_path}/a++b.patch"
    word = told.value.try_next.split()[1]
    known = {"bookworm": KernelSpec(name="bookworm")}
    assert KernelWords(known=known, configs=()).read(word).origin.patches == (str(path),)


def test_series_beyond_the_drivers_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + GOOD.replace(NAME, "net/core/skbuff.c"))

    with pytest.raises(InputError, match=r"net/core/skbuff\.c` is outside the two drivers"):
        DriverChoice.parse(DriverKind.NETFRONT, str(path))


def test_module_built_elsewhere_is_taken_if_it_is_that_driver(tmp_path: Path) -> None:
    path = tmp_path / "mine.ko"
    path.write_bytes(make_elf(sections=SECTIONS))

    choice = DriverChoice.parse(DriverKind.NETFRONT, str(path))

    assert choice.module == path
    assert not choice.is_stock
    with pytest.raises(InputError, match="holds the module xen_netfront, --netback needs"):
        DriverChoice.parse(DriverKind.NETBACK, str(path))


def test_module_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.ko"
    path.write_bytes(make_elf(sections={**SECTIONS, ".modinfo": MODINFO[:8]}))

    with pytest.raises(InputError, match="not a kernel module"):
        DriverChoice.parse(DriverKind.NETFRONT, str(path))


def test_unknown_module_of_ours_is_named() -> None:
    with pytest.raises(InputError, match="no module"):
        find_module("nothing-of-ours")


def test_series_lie_on_each_other() -> None:
    choice = DriverChoice.parse(DriverKind.NETFRONT, "netfront-slots-limit+netfront-faults")

    assert choice.series is not None
    assert choice.name == "netfront-slots-limit+netfront-faults"
    assert len(choice.series.patches) == 2


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("counters+netfront-fault", "did you mean `netfront-faults`"),
        ("counters+stock", "`stock` is no patch, and cannot lie on another"),
        ("counters+", "nothing on one side"),
    ],
)
def test_what_cannot_lie_on_another_is_named(word: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        DriverChoice.parse(DriverKind.NETFRONT, word)


def test_file_with_a_plus_in_its_name_is_that_file(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, "a+b.patch")

    assert DriverChoice.parse(DriverKind.NETFRONT, str(path)).name == "a+b"
