"""Settings of a node's devices: features, MTU and GSO limits, changed and put back as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import LabError
from xenlab.guest.change import IPV6_MIN_MTU_BYTES, Change, moves, touches_features
from xenlab.guest.device_state import MARK, DeviceState, parse_states, split_answer
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

# What was changed long ago may have to be put back: its own time, and not what is left of that.
RESTORE_S = 60.0
RESTORE_ROUNDS = 2

# Command lines without blanks inside words, `--`, `neigh` or `-`, devices whose features are to be
# read. Each command is answered by a line: nothing, or why it was refused. Then what the devices
# are now: one exchange does it all, and to start a program costs as much as an exchange.
SET_AND_READ = f"""
set -f
while [ "$1" != -- ]; do
        if why=$($1 2>&1); then echo; else echo "refused:" $why; fi
        shift
done
echo {MARK}; ip -d -j addr show
echo; echo {MARK}; [ "$2" = - ] || ip -j neigh show nud permanent
shift 2
for device; do echo; echo {MARK}; ethtool -k "$device"; done
"""

States = Mapping[str, DeviceState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Devices under a change; `refused` says what they did not take, and why."""

    states: States
    refused: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Settings:
    """The devices of a node, with what they were at first."""

    shell: Shell
    base: States
    _now: States

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Changed:
        """Have the devices be what they were at first but for these changes.

        What a device refuses is told and is no error. Raises LabError if the node could not be
        asked.
        """
        wanted = dict(self.base)
        for change in changes:
            wanted[change.device] = change.apply(wanted[change.device])
        answers = self._move(wanted, deadline)
        unmet = [each for change in changes for each in change.unmet(self._now[change.device])]
        said = "; ".join(answer.removeprefix("refused:").strip() for answer in answers if answer)
        return Changed(
            states=self._now,
            refused=tuple(f"{self.shell.where}: {each}{said and f': {said}'}" for each in unmet),
        )

    def restore(self, deadline: Deadline) -> None:
        """Have the devices be what they were at first. Raises LabError with what then differs."""
        left: tuple[str, ...] = ()
        for _ in range(RESTORE_ROUNDS):
            self._move(self.base, deadline)
            # Behind an error, what was read last need not be what is.
            self._now = read_states(self.shell, tuple(self.base), deadline)
            left = _moves(self._now, self.base)
            if not left:
                return
        raise LabError(f"{self.shell.where}: not what it was before: {'; '.join(left)}")

    def _move(self, wanted: States, deadline: Deadline) -> tuple[str, ...]:
        """The answers to the commands; what they cannot have touched is not read again."""
        now = self._now
        if not (commands := _moves(now, wanted)):
            return ()
        touched = [name for name in wanted if touches_features(now[name], wanted[name])]
        mtus = [state.mtu_bytes for states in (now, wanted) for state in states.values()]
        neighbours = "neigh" if min(mtus) < IPV6_MIN_MTU_BYTES else "-"
        words = (*commands, "--", neighbours, *touched)
        text = self.shell.run_script(SET_AND_READ, *words, deadline=deadline).require_success().text
        answered = split_answer(self.shell.where, text, len(commands), touched)
        self._now = parse_states(answered, now)
        return answered.commands


@contextmanager
def open_settings(shell: Shell, devices: Sequence[str], deadline: Deadline) -> Iterator[Settings]:
    """Devices of a node, to be changed; in the end they are what they were, also after an error.

    So are the bridges that they are ports of: the least MTU of its ports becomes that of a bridge
    (net/bridge/br_if.c, br_mtu_auto_adjust).
    """
    base = read_states(shell, devices, deadline)
    bridges = {state.bridge for state in base.values()} - {"", *devices}
    if bridges:
        base = {**base, **read_states(shell, sorted(bridges), deadline)}
    settings = Settings(shell=shell, base=base, _now=base)
    try:
        yield settings
    finally:
        settings.restore(Deadline.after(RESTORE_S))


def read_states(shell: Shell, devices: Sequence[str], deadline: Deadline) -> States:
    """What devices are. Raises LabError, or MeasurementError for what cannot be told."""
    words = ("--", "neigh", *devices)
    text = shell.run_script(SET_AND_READ, *words, deadline=deadline).require_success().text
    return parse_states(split_answer(shell.where, text, 0, devices), dict.fromkeys(devices))


def _moves(now: States, wanted: States) -> tuple[str, ...]:
    return tuple(each for name, state in wanted.items() for each in moves(now[name], state))
