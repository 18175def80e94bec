"""Stale code: an emulated CPU that runs a translation of what is in no memory any more.

A kernel patches itself while it runs: a breakpoint first, then the new instruction behind it. QEMU
before 8.1 looks at what it translates before it watches that page for writes (accel/tcg,
tb_gen_code, tb_link_page). A CPU that comes upon the breakpoint while another takes it away may
keep it: the kernel finds nothing there, goes back, and meets it again, for ever.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from xenlab.errors import WaitTimedOut
from xenlab.waiting import Deadline, wait_until

Monitor = Callable[[str], str]
# CPU number to its registers, the instruction pointer among them, as they are printed.
Registers = Mapping[int, str]

# Each instruction is translated by itself, and so anew (QEMU 7.2, hmp_singlestep; 8.1 has another
# name for it, and the mend).
ANEW, AS_BEFORE = "singlestep on", "singlestep off"
# A CPU that goes round is seen at each place of its way, with the same registers, again and again.
# Seen so often, and going on so, it is missed in as many looks once in a thousand times.
LOOKS = 32
LOOKS_S = 20.0
OFTEN = 6
CPU = re.compile(r"^CPU#(\d+)\s*\n(.*?HLT=([01]))", re.MULTILINE | re.DOTALL)


def find_stale_code(ask: Monitor) -> str:
    """Which CPU stands where until it is translated anew; empty if none does, or QEMU is too slow.

    `ask` puts a command to QEMU's monitor. CPUs that are halted stand rightly, and one that spins
    does so in any translation.
    """
    try:
        stuck = [(cpu, state) for (cpu, state), times in _look(ask).items() if times >= OFTEN]
        anew = _look_anew(ask) if stuck else Counter()
    except WaitTimedOut:
        return ""
    return "; ".join(
        f"CPU {cpu} at {read_place(state)}" for cpu, state in stuck if not anew[cpu, state]
    )


def read_registers(answer: str) -> Registers:
    """The registers of each CPU that is not halted, of the answer to `info registers -a`."""
    return {int(cpu): state for cpu, state, halted in CPU.findall(answer) if halted == "0"}


def read_place(state: str) -> str:
    """The instruction pointer of a CPU's registers, in hexadecimal digits."""
    found = re.search(r"[RE]IP=([0-9a-f]+)", state)
    return found[1] if found else "an unknown place"


def _look_anew(ask: Monitor) -> Counter[tuple[int, str]]:
    """As `_look`, while every instruction is translated anew."""
    ask(ANEW)
    try:
        _look(ask)  # an old translation ends at the CPU's next interrupt
        return _look(ask)
    finally:
        ask(AS_BEFORE)


def _look(ask: Monitor) -> Counter[tuple[int, str]]:
    """How often each CPU was seen with which registers, in so many looks."""
    looks: list[Registers] = []

    def look() -> bool:
        looks.append(read_registers(ask("info registers -a")))
        return len(looks) == LOOKS

    wait_until(look, "the looks at the registers", Deadline.after(LOOKS_S))
    return Counter(_flatten(looks))


def _flatten(looks: list[Registers]) -> Iterator[tuple[int, str]]:
    for registers in looks:
        yield from registers.items()
