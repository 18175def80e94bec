"""What of a silence a host may owe: never less than it does, wherever in the samples that lies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.host_delays import HostDelays, HostSample

# Armed between 10.0 and 10.2 s. The host ran something else for 300 ms between 11.0 and 11.5 s, and
# for one or two between 12.0 and 12.2 s.
DELAYS_MS = {10.0: 5, 11.0: 6, 11.1: 66, 11.2: 126, 11.3: 186, 11.4: 246, 11.5: 306, 12.1: 307,
             12.2: 309}  # fmt: skip


def delay_at(at_s: float) -> int:
    return max(delay for since_s, delay in DELAYS_MS.items() if since_s <= at_s)


SAMPLES = tuple(
    HostSample(asked_s=each / 10, told_s=each / 10 + 0.01, delay_ms=delay_at(each / 10))
    for each in range(100, 126)
)
DELAYS = HostDelays(samples=SAMPLES, armed_s=(10.0, 10.2))


@pytest.mark.parametrize(
    ("begin_us", "end_us", "most_ms"),
    [
        (100_000, 200_000, 0),
        (800_000, 1_400_000, 301),
        (1_050_000, 1_150_000, 240),
        (1_600_000, 1_700_000, 0),
        (2_050_000, 2_060_000, 3),
        (2_200_000, 9_900_000, 2),
    ],
)
def test_share_of_the_host_is_told_whole(begin_us: int, end_us: int, most_ms: int) -> None:
    assert DELAYS.within_ms(begin_us, end_us) == most_ms


def test_cpus_that_wait_together_wait_once() -> None:
    samples = (HostSample(asked_s=1.0, told_s=1.0, delay_ms=0), replace(SAMPLES[0], delay_ms=900))
    samples = (samples[0], replace(samples[1], asked_s=1.5, told_s=1.51))
    assert HostDelays(samples=samples, armed_s=(1.1, 1.1)).within_ms(0, 300_000) == 510


def test_host_that_says_nothing_is_no_host_that_does_nothing_else() -> None:
    assert HostDelays(samples=(), armed_s=(0.0, 0.0)).within_ms(0, 1) is None


def test_sample_that_came_late_waited_for_a_host_below_this_one() -> None:
    samples = tuple(HostSample(asked_s=at_s, told_s=at_s, delay_ms=7) for at_s in (0.0, 0.1, 2.1))
    delays = HostDelays(samples=samples, armed_s=(0.0, 0.0))

    assert delays.within_ms(0, 50_000) == 0
    assert delays.within_ms(1_000_000, 1_500_000) == 1900
