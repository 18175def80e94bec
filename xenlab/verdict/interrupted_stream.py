"""What is wrong with a stream that was interrupted, and what it cannot prove."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.measure.interrupted_stream import InterruptedStream

# What a run must show of the time after it: less proves nothing.
AFTER_MIN = 100
SHOWN = 8


def tell_faults(stream: InterruptedStream, away: str, lost_pkts: int) -> Iterator[str]:
    """Losses of another time than that in which `away` was away, and what only payload tells."""
    flow = stream.flow
    if stream.untimely:
        which = ", ".join(map(str, stream.untimely[:SHOWN]))
        yield (
            f"{len(stream.untimely)} datagrams are missing that were sent while {away}"
            f" was there (first: {which})"
        )
    if flow.missing - stream.never_sent != lost_pkts:
        yield (
            f"{flow.missing - stream.never_sent} datagrams are missing,"
            f" and the counters say {lost_pkts}"
        )
    damaged = flow.corrupt + flow.truncated + flow.foreign
    if damaged or flow.duplicates or flow.reordered:
        yield (
            f"{damaged} datagrams came damaged, {flow.duplicates} twice,"
            f" {flow.reordered} behind a later one"
        )


def tell_doubts(stream: InterruptedStream, away: str, lost_pkts: int) -> Iterator[str]:
    """Why nothing is proved: nothing was away, or was not for long enough back."""
    if lost_pkts <= 0:
        yield f"nothing was lost: {away} may never have been away"
    if len(stream.flow.missing_indexes) != stream.flow.missing:
        yield f"of {stream.flow.missing} missing datagrams not all are known by their number"
    if stream.sent_after < AFTER_MIN:
        after = max(0, stream.sent_after)
        yield f"only {after} datagrams were sent after {away} was back"


def count_stream(stream: InterruptedStream) -> dict[str, int]:
    """The numbers of a verdict."""
    return {
        "datagrams": len(stream.flow.spec.sizes_bytes),
        "datagrams_missing": stream.flow.missing,
        "never_sent": stream.never_sent,
        "arrived_before": stream.arrived_before,
        "sent_until_it_was_back": stream.sent_until_back,
        "sent_afterwards": stream.sent_after,
    }
