"""BuildProgress: what make says while it builds, as one line: how far, which file, how long yet."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# linux/scripts/Kbuild.include, `quiet_cmd_*`: two blanks, the kind of step, the file it makes.
STEP = re.compile(r"^  (?P<kind>[A-Z][A-Z0-9_+]*)\s+(?:\[M\]\s+)?(?P<file>\S+)$")
COMPILED = ("CC", "AS")

# Told no more often than somebody can read it.
EVERY_S = 5.0
# Of a build of few files nobody can say when it ends.
FEW = 20


@dataclass(slots=True, kw_only=True)
class BuildProgress:
    """Counts compiled files; `expected` is how many a whole build of this configuration has.

    An expectation of 0 is none: then there is no estimate. One that is passed is forgotten.
    """

    report: Callable[[str], None]
    expected: int = 0
    clock: Callable[[], float] = time.monotonic
    compiled: int = 0
    _started_s: float = field(default=0.0)
    _told_s: float = field(default=0.0)

    def __post_init__(self) -> None:
        """Begin to count time."""
        self._started_s = self._told_s = self.clock()

    def take(self, line: str) -> None:
        """A line of make's; what is no step of it is passed over."""
        step = STEP.match(line)
        if step is None:
            return
        self.compiled += step["kind"] in COMPILED
        now_s = self.clock()
        if now_s - self._told_s >= EVERY_S:
            self._told_s = now_s
            self.report(self._render(step["kind"], step["file"], now_s - self._started_s))

    def _render(self, kind: str, file: str, elapsed_s: float) -> str:
        if not FEW <= self.compiled < self.expected:
            return f"{self.compiled} files compiled; {kind} {file}"
        left_s = elapsed_s / self.compiled * (self.expected - self.compiled)
        minutes, seconds = divmod(round(left_s), 60)
        far = f"{self.compiled} of about {self.expected} files"
        return f"{far}, about {minutes}:{seconds:02} min left; {kind} {file}"
