"""TurnWatch: watches consoles while drivers take turns, and tells whose fault is what they show."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from xenlab.errors import ConnectionLost, KernelFault, LabError, WaitTimedOut, XenlabError
from xenlab.measure.contest import BASE, PATCHED
from xenlab.traffic.consoles import await_consoles
from xenlab.traffic.coroner import Coroner
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.hang import find_hang
from xenlab.traffic.vigil import GRAVE, Vigil, keep_vigil
from xenlab.verdict.comparison import BAD
from xenlab.verdict.turns import IN_TURNS, TurnFault, judge_turns, say_control
from xenlab.verdict.verdict import Verdict, verdict_of_error

SUBJECT = f"{BASE} and {PATCHED}"
SPENT = "the lab is of no use any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnAccount:
    """What turns came to: verdicts on the patched side, and why nothing is compared, if so.

    `scene` is what was found where a kernel crashed or hung, by file; empty where none did.
    """

    verdicts: tuple[Verdict, ...]
    trouble: str
    scene: Mapping[str, bytes]


@dataclass(slots=True, kw_only=True)
class TurnWatch:
    """`loaded` is the side whose drivers are.

    While they are changed it is the one that goes until all of its drivers are out, and then the
    one that comes.
    """

    lab: LabHandle
    vigil: Vigil
    loaded: str = PATCHED
    base_turns: int = 0
    found: list[TurnFault] = field(default_factory=list)
    _delay_ms: int | None = None

    def __post_init__(self) -> None:
        self._take_delay_ms()

    def end_turn(self) -> None:
        """A turn of those that are loaded is over. Raises KernelFault where a kernel died in it."""
        self._require_kernels()
        self.base_turns += self.loaded == BASE

    def pass_to(self, side: str) -> None:
        """The drivers that were loaded are out; those of this side are to be loaded.

        Raises KernelFault where a kernel died of it, LabError where consoles do not tell.
        """
        await_consoles(self.lab)
        self._require_kernels()
        self.loaded = side

    def account(self, error: XenlabError | None) -> TurnAccount:
        """All that the turns come to, once they are over or ended by an error."""
        with contextlib.suppress(LabError):  # the error tells why consoles cannot be read
            self._take_note()
        death = self._find_death(error)
        scene = self._read_scene(death or error)
        return TurnAccount(
            verdicts=tuple(self._judge(death or error)),
            trouble="; ".join(self._tell(error, death)),
            scene=scene,
        )

    @property
    def _has_crashed(self) -> bool:
        return any(each.fault.outcome in GRAVE for each in self.found)

    def _require_kernels(self) -> None:
        self._take_note()
        for each in self.found:
            if each.fault.outcome in GRAVE:
                raise each.fault.error

    def _take_note(self) -> None:
        """Put down what is new, for the side whose drivers are loaded."""
        taken = self.vigil.take_all()
        waited_ms = self._take_delay_ms()
        self.found += [
            TurnFault(side=self.loaded, fault=fault, host_delay_ms=waited_ms) for fault in taken
        ]

    def _take_delay_ms(self) -> int | None:
        """How long the host kept the machine's CPUs waiting since the last time."""
        before, self._delay_ms = self._delay_ms, None
        with contextlib.suppress(LabError):  # as where it does not tell
            self._delay_ms = self.lab.host_delay_ms()
        if before is None or self._delay_ms is None:
            return None
        return self._delay_ms - before

    def _find_death(self, error: XenlabError | None) -> XenlabError | None:
        """What a silence hides: a kernel that hangs, or that what is below Xen is to blame."""
        if self._has_crashed or not isinstance(error, WaitTimedOut | ConnectionLost):
            return None
        try:
            hang = find_hang(self.lab)
        except (LabError, KernelFault) as death:
            return death
        if hang is None:
            return None
        return KernelFault(hang.node, f"it hangs: {'; '.join(hang.reasons)}", hang.reasons)

    def _read_scene(self, error: XenlabError | None) -> Mapping[str, bytes]:
        """The files of all deaths, whichever side's; what crashed has its lines of source then."""
        coroner = Coroner(lab=self.lab, vigil=self.vigil)
        self.found = [
            replace(each, places=coroner.bury_crash(each.fault))
            if each.fault.outcome in GRAVE
            else each
            for each in self.found
        ]
        if isinstance(error, KernelFault) and not coroner.deaths:
            coroner.bury(error, error.excerpt)
        return coroner.read_scene() if coroner.deaths else {}

    def _judge(self, error: XenlabError | None) -> Iterator[Verdict]:
        """What consoles say of the patched side, and what an error says while it was loaded."""
        told = judge_turns(SUBJECT, self.found, self.base_turns)
        if told is not None:
            yield told
        is_told = isinstance(error, KernelFault) and self._has_crashed
        if error is None or is_told or self.loaded != PATCHED:
            return
        verdict = verdict_of_error(IN_TURNS, SUBJECT, error)
        # How fast a side is decides nothing, nor does it that nobody could tell.
        if verdict is not None and verdict.outcome in BAD:
            # The base takes no turns in its own lab: that it says nothing there is no pass.
            yield replace(verdict, alarm=False, control=say_control(self.base_turns))

    def _tell(self, error: XenlabError | None, death: XenlabError | None) -> Iterator[str]:
        """Why there is nothing to compare, and whether the lab is dead by it."""
        yield from dict.fromkeys(map(str, self.found))
        is_told = isinstance(error, KernelFault) and self._has_crashed
        if error is not None and not is_told:
            yield str(error)
        if death is not None:
            yield str(death)
        if self._has_crashed or death is not None or self._has_broken(error):
            yield SPENT

    def _has_broken(self, error: XenlabError | None) -> bool:
        """Whether an error left nothing to work with."""
        if not isinstance(error, LabError):
            return isinstance(error, KernelFault)
        try:
            self.lab.require_machine()
        except LabError:
            return True
        return False


@contextlib.contextmanager
def watching_turns(lab: LabHandle, read_bytes: Mapping[str, int]) -> Iterator[TurnWatch]:
    """Watch all consoles, of each what stands behind so many bytes; the patched side is loaded."""
    with keep_vigil(lab, read_bytes) as vigil:
        yield TurnWatch(lab=lab, vigil=vigil)
