"""Packets of a frontend that breaks the protocol, and what netback has to make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from xenlab.measure.layouts import LayoutRun
from xenlab.slots.backend import accept
from xenlab.slots.fate import Prediction, predict
from xenlab.slots.layout import Layout
from xenlab.slots.limits import RING_SLOTS, Limits
from xenlab.slots.pages import Piece

# Behind no slot that a packet can have.
NOWHERE = RING_SLOTS


def reaches(prediction: Prediction, slot: int) -> bool:
    """Whether a packet has so many data slots, and so the fault in that one of them."""
    return len(prediction.sending.requests) >= slot


def shares_slot(prediction: Prediction) -> bool:
    """Whether netback copies the beginning of a slot into the head, and maps it for the rest.

    xenvif_tx_check_gop(), xen-netback/netback.c:565.
    """
    accepted = prediction.acceptance
    if accepted is None or not accepted.reception.arrives:
        return False
    whole = prediction.sending.requests[: accepted.copied_slots]
    copied_bytes = sum(request.piece.size_bytes for request in whole)
    return copied_bytes < accepted.headlen_bytes < prediction.layout.length_bytes


def count_error_answers(prediction: Prediction, slot: int) -> int:
    """How many slots are answered with an error if this one, counted from 1, refers to nothing.

    That one; and where it was to be copied whole, the one that is copied in part as well
    (netback.c:625). What was mapped is well, on the frag_list too (netback.c:629).
    """
    accepted = prediction.acceptance
    if accepted is None or not accepted.reception.arrives or not reaches(prediction, slot):
        return 0
    return 1 + int(slot <= accepted.copied_slots and shares_slot(prediction))


def expect_empty_slot(run: LayoutRun, limits: Limits, behind: int) -> LayoutRun:
    """The same run to dom0, with a slot of no bytes behind one of each packet, counted from 1.

    It counts among the slots by which netback decides how much it copies, and makes no frag
    (xenvif_get_requests(), xen-netback/netback.c:462). Packets that need a frag_list are not
    foretold: ValueError.
    """
    forms = [_form(predict(layout, limits), limits, behind) for layout in run.layouts]
    return replace(
        run,
        heads_bytes=tuple(head_bytes for head_bytes, _frags in forms),
        frags=tuple(frags for _head_bytes, frags in forms),
    )


def shows_empty_slot(layout: Layout, limits: Limits, behind: int) -> bool:
    """Whether a packet lies in another way in dom0 if a slot of no bytes is among its slots."""
    prediction = predict(layout, limits)
    return _form(prediction, limits, behind) != _form(prediction, limits, NOWHERE)


def _form(prediction: Prediction, limits: Limits, behind: int) -> tuple[int, int]:
    """How much of a packet comes in its skb's head, and in how many frags the rest."""
    pieces = [request.piece for request in prediction.sending.requests]
    if reaches(prediction, behind):
        pieces.insert(behind, Piece(offset_bytes=0, size_bytes=0))
    head_bytes = accept(pieces, limits).headlen_bytes
    frags = _beyond(pieces, head_bytes)
    if frags > limits.backend_max_skb_frags:
        raise ValueError(f"{prediction.layout} needs a frag_list")
    return head_bytes, frags


def _beyond(pieces: Sequence[Piece], head_bytes: int) -> int:
    """How many pieces have bytes behind the head."""
    ends = accumulate(piece.size_bytes for piece in pieces)
    return sum(
        end > head_bytes and piece.size_bytes > 0 for piece, end in zip(pieces, ends, strict=True)
    )
