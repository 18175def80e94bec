"""Disagreements: packets of a run of layouts, and counters, that are not as the model says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xenlab.measure.layouts import Form, Landing, LayoutCounters, LayoutRun, Sighting
from xenlab.slots.fate import Fate
from xenlab.slots.layout import Checksum, Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A layout that met another fate than the model says; `layout` can be sent again as it is."""

    index: int
    layout: Layout
    slots: int
    fate: Fate
    seen: str

    def __str__(self) -> str:
        """For a verdict's reasons."""
        return (
            f"packet {self.index}, `{self.layout}` ({self.slots} slots) must be {self.fate},"
            f" and {self.seen}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FormCount:
    """Of how many packets the form was judged: in `forms` GSO size, checksum and frag_list."""

    arrived: int
    forms: int
    heads: int
    frags: int


def count_forms(run: LayoutRun) -> FormCount:
    """How many packets that came to their sink show what of their form."""
    arrived = forms = heads = frags = 0
    for sighting, head_bytes, all_frags in zip(
        run.sightings, _heads_bytes(run), _frags(run), strict=True
    ):
        arrived += sighting.landing is Landing.WHOLE
        if _shows_form(run, sighting):
            forms += 1
            heads += head_bytes > 0
            frags += all_frags is not None
    return FormCount(arrived=arrived, forms=forms, heads=heads, frags=frags)


def find_disagreements(run: LayoutRun) -> Iterator[Disagreement]:
    """Every packet whose fate was not the one predicted."""
    rows = zip(run.layouts, run.slots, run.fates, run.sightings, strict=True)
    forms = zip(_heads_bytes(run), _frags(run), strict=True)
    for index, ((layout, slots, fate, sighting), (head_bytes, frags)) in enumerate(
        zip(rows, forms, strict=True)
    ):
        seen = _contradict(fate, sighting)
        if sighting.form is not None and _shows_form(run, sighting):
            seen = seen or _contradict_form(layout, head_bytes, sighting.form)
            seen = seen or _contradict_frags(frags, sighting.form)
        if seen:
            yield Disagreement(index=index, layout=layout, slots=slots, fate=fate, seen=seen)


def _heads_bytes(run: LayoutRun) -> tuple[int, ...]:
    return run.heads_bytes or (0,) * len(run.layouts)


def _frags(run: LayoutRun) -> tuple[int | None, ...]:
    return run.frags or (None,) * len(run.layouts)


def _shows_form(run: LayoutRun, sighting: Sighting) -> bool:
    return sighting.form is not None and not run.frames


def _contradict(fate: Fate, sighting: Sighting) -> str:
    """What was seen that cannot be with this fate; empty if all fits."""
    if sighting.dropped != (fate is Fate.DROPPED):
        return "was dropped by its driver" if sighting.dropped else "was not dropped"
    if sighting.landing is not (Landing.WHOLE if fate.arrives else Landing.MISSING):
        return sighting.words
    if sighting.held:
        return "was not given back to its sender by its driver"
    if sighting.remade and fate.arrives:
        return "came back to its sender neither as it was composed nor in one piece"
    if sighting.linearised is not None and fate.arrives:
        linearised = fate is Fate.LINEARISED
        if sighting.linearised != linearised:
            return "was linearised" if sighting.linearised else "was not linearised"
    return ""


def _contradict_form(layout: Layout, head_bytes: int, form: Form) -> str:
    """In what form it came that is not the one it has to come in."""
    if head_bytes and form.head_bytes != head_bytes:
        return f"came with {form.head_bytes} bytes in its head, not {head_bytes}"
    if form.gso_size_bytes != layout.gso_size_bytes:
        return f"came with a GSO size of {form.gso_size_bytes}, not {layout.gso_size_bytes}"
    if layout.checksum is Checksum.PARTIAL and not form.blank:
        return "came with a checksum that was blank and is none any more"
    return ""


def _contradict_frags(frags: int | None, form: Form) -> str:
    """A frag_list is netback's alone: it copies it into frags before anybody else gets the skb."""
    if form.listed:
        return f"came with {form.listed} skbs on a frag_list"
    if frags is None or form.frags == frags:
        return ""
    return f"came with {form.frags} frags, not {frags}"


def find_miscounts(run: LayoutRun) -> Iterator[str]:
    """Every counter that moved by another amount than the packets must have moved it."""
    if run.expected is None or run.counted is None:
        return
    for name in LayoutCounters.__dataclass_fields__:
        must, is_ = getattr(run.expected, name), getattr(run.counted, name)
        if must != is_:
            yield f"{name} moved by {is_}, not {must}"
