"""Fragments: what ships is well formed, and a symbol that did not come true is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import InputError
from xenlab.kernel.config import KernelConfig, read_symbols
from xenlab.kernel.fragments import ALWAYS, Fragment, find_unmet, list_fragments, read_fragments
from xenlab.kernel.preflight import NEEDED_BY_PART


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def symbols(*names: str) -> frozenset[str]:
    return frozenset(f"CONFIG_{name}" for name in names)


def test_every_kernel_gets_the_parts_of_a_lab_and_what_is_named_behind_them() -> None:
    names = [fragment.name for fragment in read_fragments(("debug", "base"))]

    assert names == [*ALWAYS, "debug"]


@pytest.mark.parametrize("name", list_fragments())
def test_shipped_fragment_is_one(name: str) -> None:
    assert read_fragments((name,))


@pytest.mark.parametrize("part", NEEDED_BY_PART)
def test_what_every_kernel_gets_asks_for_all_that_a_part_needs(part: str) -> None:
    asked = {
        symbol: value for fragment in read_fragments(()) for symbol, value, _ in fragment.asked
    }

    missing = [
        symbol for symbol in NEEDED_BY_PART[part] if asked.get(f"CONFIG_{symbol}") not in ("y", "m")
    ]

    assert missing == []


def test_drivers_under_test_are_modules() -> None:
    asked = {
        symbol: value for fragment in read_fragments(()) for symbol, value, _ in fragment.asked
    }

    assert asked["CONFIG_XEN_NETDEV_FRONTEND"] == asked["CONFIG_XEN_NETDEV_BACKEND"] == "m"


def test_unknown_name_is_guessed() -> None:
    with pytest.raises(InputError, match="no configuration `debgu`; did you mean `debug`"):
        read_fragments(("debgu",))


def test_every_line_that_is_none_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "x.config", "CONFIG_A=y\nconfig b\n# a remark\nCONFIG_C\n")

    with pytest.raises(InputError) as raised:
        Fragment.read(path)

    assert [problem.partition(" ")[0] for problem in raised.value.problems] == [
        f"{path}:2:1:",
        f"{path}:4:1:",
    ]


def test_empty_and_missing_fragments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no symbol in it"):
        Fragment.read(write(tmp_path / "x.config", "# nothing\n"))
    with pytest.raises(InputError, match="No such file"):
        read_fragments((str(tmp_path / "none.config"),))


def test_symbol_that_did_not_come_true_is_named_with_its_line_and_the_reason(
    tmp_path: Path,
) -> None:
    text = "CONFIG_HERE=y\nCONFIG_LOST=y\n# CONFIG_BACK is not set\nCONFIG_NOWHERE=17\n"
    path = write(tmp_path / "x.config", text)
    config = KernelConfig.parse("CONFIG_HERE=y\nCONFIG_BACK=y\n# CONFIG_LOST is not set\n")

    unmet = list(find_unmet([Fragment.read(path)], config, lambda: symbols("HERE", "LOST", "BACK")))

    assert unmet == [
        f"{path}:2:1: CONFIG_LOST=y became n: what it depends on is missing",
        f"{path}:3:1: CONFIG_BACK=n became y: something selects it",
        f"{path}:4:1: CONFIG_NOWHERE=17: this source has no such symbol",
    ]


def test_later_fragment_stands_over_an_earlier_one(tmp_path: Path) -> None:
    first = Fragment.read(write(tmp_path / "a.config", "# CONFIG_A is not set\n"))
    second = Fragment.read(write(tmp_path / "b.config", "CONFIG_A=m\n"))
    became_m = KernelConfig.parse("CONFIG_A=m\n")

    assert not list(find_unmet([first, second], became_m, frozenset))
    assert list(find_unmet([second, first], became_m, frozenset))


def test_symbols_are_those_of_x86_and_of_all(tmp_path: Path) -> None:
    for name, symbol in (("net", "NET"), ("arch/x86", "X86"), ("arch/arm", "ARM")):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        write(folder / "Kconfig", f"menuconfig {symbol}\n\tbool\nconfig {symbol}_MORE\n")

    assert read_symbols(tmp_path) == symbols("NET", "NET_MORE", "X86", "X86_MORE")


def test_symbols_that_are_built_in_or_modules_are_counted_and_values_are_not() -> None:
    text = (
        'CONFIG_NET=y\nCONFIG_BRIDGE=m\nCONFIG_HZ=250\nCONFIG_NAME="y"\n# CONFIG_SMP is not set\n'
    )

    assert KernelConfig.parse(text).enabled == 2
