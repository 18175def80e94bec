"""HostDelays: for how long, by one moment and the next, a host had not run CPUs that could run."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap

S_A_US = 1e-6
MS_A_S = 1e3
# A sample is taken so long after another one: often enough for silences of a second, and 3 % of one
# CPU of the host.
PERIOD_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSample:
    """What the host said between two moments of its monotonic clock: milliseconds till then."""

    asked_s: float
    told_s: float
    delay_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostDelays:
    """Samples in the order of time, while packets were on their way.

    Their receiver began to count between `armed_s`.
    """

    samples: Sequence[HostSample]
    armed_s: tuple[float, float]

    def within_ms(self, begin_us: int, end_us: int) -> int | None:
        """At most how long, for any of the CPUs, between two moments of the receiver's count.

        CPUs that wait at the same time wait once: no more is the host's than there is time. A
        sample that came late may have waited for a host below this one, of which these CPUs know
        nothing. None where no host told anything.
        """
        if not self.samples:
            return None
        begin_s = self.armed_s[0] + begin_us * S_A_US
        end_s = self.armed_s[1] + end_us * S_A_US
        told = [each.told_s for each in self.samples]
        asked = [each.asked_s for each in self.samples]
        first = max(0, bisect_right(told, begin_s) - 1)
        last = bisect_left(asked, end_s) + 1
        return sum(starmap(_share_ms, pairwise(self.samples[first:last])))


def _share_ms(earlier: HostSample, later: HostSample) -> int:
    passed_ms = int((later.told_s - earlier.asked_s) * MS_A_S)
    late_ms = int((later.asked_s - earlier.told_s - PERIOD_S) * MS_A_S)
    return min(max(later.delay_ms - earlier.delay_ms, late_ms), passed_ms)
