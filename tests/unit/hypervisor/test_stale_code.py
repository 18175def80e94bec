"""CPUs that run stale code, told by the registers of a QEMU 7.2 that had two of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from xenlab.hypervisor import stale_code
from xenlab.hypervisor.stale_code import find_stale_code, read_registers

LOOKS = Path(__file__).with_name("stale-cpus.txt").read_text(encoding="utf-8").split("\n\n")
PLACE = "ffffffff81108630"
FREED = [look.replace(PLACE, "ffffffff81108632") for look in LOOKS]
HALTED = [look.replace("HLT=0", "HLT=1") for look in LOOKS]


@dataclass(slots=True)
class Monitor:
    """One that answers with these registers in turn, and others while it translates anew."""

    before: list[str]
    anew: list[str]
    said: list[str] = field(default_factory=list)
    _now: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._now = itertools.cycle(self.before)

    def __call__(self, command: str) -> str:
        if command == "info registers -a":
            return next(self._now)
        self.said.append(command)
        self._now = itertools.cycle(self.anew if command == "singlestep on" else self.before)
        return ""


@pytest.fixture(autouse=True)
def few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look waits for the next."""
    monkeypatch.setattr(stale_code, "LOOKS", 8)
    monkeypatch.setattr(stale_code, "OFTEN", 2)


def test_registers_of_each_cpu_are_read() -> None:
    assert [sorted(read_registers(look)) for look in LOOKS] == [[0, 1]] * 4
    assert [PLACE in read_registers(look)[0] for look in LOOKS] == [True, False, True, True]


def test_cpus_that_go_on_once_translated_anew_ran_stale_code() -> None:
    monitor = Monitor(LOOKS, FREED)
    assert f"CPU 0 at {PLACE}" in find_stale_code(monitor).split("; ")
    assert monitor.said == ["singlestep on", "singlestep off"]


def test_cpus_that_spin_do_so_in_any_translation() -> None:
    assert find_stale_code(Monitor(LOOKS, LOOKS)) == ""


@pytest.mark.parametrize("looks", [HALTED, [""]])
def test_cpus_that_are_halted_are_let_alone(looks: list[str]) -> None:
    monitor = Monitor(looks, FREED)
    assert find_stale_code(monitor) == ""
    assert monitor.said == []


def test_cpu_that_is_elsewhere_each_time_goes_on() -> None:
    looks = [LOOKS[0].replace(PLACE, f"{0xFFFFFFFF81000000 + 16 * at:x}") for at in range(32)]
    looks = [look.replace("ffffffff81027db0", f"{at:016x}") for at, look in enumerate(looks)]
    assert find_stale_code(Monitor(looks, FREED)) == ""
