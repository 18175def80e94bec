"""Stale code in a real QEMU: memory is changed behind its back, which its translation outlives."""

from __future__ import annotations

import json
import mmap
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from xenlab.hypervisor import stale_code
from xenlab.hypervisor.machine_xml import EMULATOR
from xenlab.hypervisor.stale_code import find_stale_code
from xenlab.waiting import Deadline, wait_until

MEMORY_BYTES = 16 << 20
START = 0x7C00  # where a PC's firmware puts the sector that it boots
SPIN = b"\xeb\xfe"  # jmp to itself
GO_ON = b"\x90\x90"  # two nops
HALT = b"\xf4\xeb\xfd"  # hlt, and again
# What interrupts are for is that the CPU looks for the next translation now and then.
SECTOR = (b"\xfb" + SPIN + HALT).ljust(510, b"\0") + b"\x55\xaa"
SPINS_AT = START + 1
SOON_S = 60.0


@dataclass(frozen=True, slots=True)
class Spinner:
    """A QEMU whose CPU spins; its memory, and its monitor."""

    memory: mmap.mmap
    line: socket.socket
    answers: IO[bytes]

    def ask(self, command: str) -> str:
        """What the monitor answers a person."""
        return str(self._execute("human-monitor-command", {"command-line": command}))

    def greet(self) -> None:
        """Take the greeting; the monitor takes no command before."""
        self.answers.readline()
        self._execute("qmp_capabilities", {})

    def _execute(self, name: str, arguments: dict[str, str]) -> object:
        self.line.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        for line in self.answers:
            answer = json.loads(line)
            if "event" not in answer:
                return answer["return"]
        raise EOFError(name)


@contextmanager
def running(tmp_path: Path) -> Iterator[Spinner]:
    sector, memory, monitor = (tmp_path / name for name in ("sector", "memory", "monitor"))
    sector.write_bytes(SECTOR)
    memory.write_bytes(bytes(MEMORY_BYTES))
    backend = f"memory-backend-file,id=ram,size={MEMORY_BYTES},mem-path={memory},share=on"
    argv = [
        EMULATOR, "-nodefaults", "-display", "none", "-accel", "tcg", "-m", f"{MEMORY_BYTES}B",
        "-object", backend, "-machine", "pc,memory-backend=ram",
        "-drive", f"if=floppy,format=raw,file={sector}",
        "-qmp", f"unix:{monitor},server=on,wait=off",
    ]  # fmt: skip
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as qemu:
        try:
            with (
                wait_until(lambda: connect_to(monitor), "QEMU", Deadline.after(SOON_S)) as line,
                memory.open("r+b") as file,
                mmap.mmap(file.fileno(), MEMORY_BYTES) as mapped,
                line.makefile("rb") as answers,
            ):
                spinner = Spinner(mapped, line, answers)
                spinner.greet()
                yield spinner
        finally:
            qemu.kill()


def connect_to(monitor: Path) -> socket.socket | None:
    line = socket.socket(socket.AF_UNIX)
    if line.connect_ex(str(monitor)):
        line.close()
        return None
    return line


@pytest.fixture(autouse=True)
def fewer_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take a second, in which there are interrupts enough."""
    monkeypatch.setattr(stale_code, "LOOKS", 16)


@pytest.fixture
def spinner(tmp_path: Path) -> Iterator[Spinner]:
    with running(tmp_path) as opened:
        wait_until(
            lambda: f"EIP={SPINS_AT:08x}" in opened.ask("info registers -a"),
            "the CPU to spin",
            Deadline.after(SOON_S),
        )
        yield opened


def test_cpu_that_spins_in_what_memory_holds_is_let_alone(spinner: Spinner) -> None:
    assert find_stale_code(spinner.ask) == ""
    assert f"EIP={SPINS_AT:08x}" in spinner.ask("info registers -a")


def test_cpu_that_spins_in_what_memory_holds_no_more_is_found(spinner: Spinner) -> None:
    spinner.memory[SPINS_AT : SPINS_AT + len(GO_ON)] = GO_ON
    assert f"EIP={SPINS_AT:08x}" in spinner.ask("info registers -a"), "QEMU noticed"

    assert find_stale_code(spinner.ask) == f"CPU 0 at {SPINS_AT:08x}"
