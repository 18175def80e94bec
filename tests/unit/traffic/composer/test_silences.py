"""How long a sink had had nothing: between two packets, and before the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.unit.traffic.composer.flows import PLAIN, batch_of
from tests.unit.traffic.composer.test_delivery import WELL
from xenlab.measure.host_delays import HostSample
from xenlab.measure.layouts import Silence
from xenlab.traffic.composer.batch import Order
from xenlab.traffic.composer.delivery import Delivery
from xenlab.traffic.composer.results import Arrival, ArrivalReport, SendReport, Sent
from xenlab.traffic.composer.sightings import find_silences
from xenlab.traffic.composer.wire import NO_INDEX, End

MS = 1000
CALM = tuple(HostSample(asked_s=n / 10, told_s=n / 10, delay_ms=0) for n in range(60))


def silences(
    sent_us: Sequence[int], came_us: Sequence[tuple[int, int]], samples: Sequence[HostSample] = CALM
) -> Mapping[int, Silence]:
    """When each packet was given to the driver, and which came when."""
    sent = tuple(
        Sent(flags=WELL, result=0, held_frags=0, waits=0, dropped=0, submit_us=us, latency_us=0)
        for us in sent_us
    )
    arrivals = tuple(
        Arrival(
            place=place, length_bytes=60, headlen_bytes=60, start=0, first_bad=NO_INDEX,
            gso_size_bytes=0, flags=0, frags=0, listed=0, summed=0, protocol=0, time_us=us,
        )
        for place, us in came_us
    )  # fmt: skip
    return find_silences(
        Delivery(
            batch=batch_of(*(Order(layout=PLAIN) for _ in sent_us)),
            send_report=SendReport(
                sent=sent, given=len(sent), outstanding=0, compose_us=0, drain_us=0, error=0
            ),
            arrival_report=ArrivalReport(
                arrivals=arrivals, overflow=0, payload_bytes=0, ids_seen=len(arrivals),
                duplicates=0, bad=0, passed=0, end=End.COMPLETE, elapsed_us=0,
            ),
            host_samples=samples,
        )
    )  # fmt: skip


def test_silence_is_that_before_the_packet_that_ended_it() -> None:
    found = silences((0, 0, 0), ((0, 5 * MS), (2, 6 * MS), (1, 2_006 * MS)))

    assert found == {
        1: Silence(silence_ms=2000, host_ms=0),
        2: Silence(silence_ms=1, host_ms=0),
    }


def test_stall_before_the_first_packet_is_seen_by_those_that_were_quick() -> None:
    """The receiver began to count three seconds earlier than the sender: that is no silence."""
    stalled = [(0, 5_000 * MS), (1, 5_000 * MS), (2, 5_010 * MS)]

    found = silences((0, 1 * MS, 2_005 * MS), stalled)

    assert found[0] == Silence(silence_ms=1995, host_ms=0)


def test_first_packet_that_is_the_quickest_had_no_silence_before_it() -> None:
    assert silences((0, 0), ((0, 9_000 * MS), (1, 9_000 * MS))) == {}
    assert silences((0,), ()) == {}


def test_first_packet_of_nobody_we_know_tells_of_no_silence() -> None:
    assert 0 not in silences((0, 0), ((NO_INDEX, 5_000 * MS), (1, 5_001 * MS), (0, 5_001 * MS)))


def test_what_the_host_may_owe_of_a_stall_before_the_first_packet_is_told() -> None:
    busy = tuple(
        HostSample(asked_s=n / 10, told_s=n / 10, delay_ms=max(0, n - 30) * 50) for n in range(60)
    )

    found = silences((0, 2_000 * MS), ((0, 5_000 * MS), (1, 5_000 * MS)), busy)

    assert found[0].silence_ms == 2000
    assert found[0].host_ms is not None
    assert 900 <= found[0].host_ms <= 1200
