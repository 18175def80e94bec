"""Soaking: rounds of random layouts and flows over a random link under random settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from xenlab.errors import MeasurementError
from xenlab.guest.change import Change
from xenlab.guest.device_state import Feature
from xenlab.guest.settings import open_settings
from xenlab.guest.sysctl import sysctls_set
from xenlab.plan.model import DOM0, Link
from xenlab.slots.layout import Layout
from xenlab.slots.limits import Limits
from xenlab.slots.random_layouts import Mix, random_layouts
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.limits import limits_of
from xenlab.traffic.measuring import measure_link
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.steady import judge_steady
from xenlab.verdict.verdict import Verdict

SET_S = 30.0
LAYOUTS = 200
PLAIN = Layout(linear_bytes=200, linear_offset_bytes=0)
# What a domU's user may switch. Each is off in a quarter of all rounds.
SWITCHES = (Feature.SCATTER, Feature.TSO, Feature.GSO, Feature.GRO)
OFF_ONE_IN = 4
GSO_SIZES_BYTES = (0, 0, 8192, 32768)  # 0 leaves it as it is
HIGH_ORDER = "net/core/high_order_alloc_disable"
# Without any of them netfront may drop a GSO packet (NF:776), and the model does not know which.
NEEDED_FOR_GSO = frozenset(SWITCHES) - {Feature.GRO}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round: by its name the same once more. `off` are features of both ends' netfronts."""

    name: str
    link: Link
    off: tuple[Feature, ...]
    gso_max_size_bytes: int
    high_order_off: bool
    layouts_seed: int

    @property
    def settings(self) -> str:
        """In words."""
        words = [f"{feature} off" for feature in self.off]
        if self.gso_max_size_bytes:
            words.append(f"gso_max_size {self.gso_max_size_bytes}")
        if self.high_order_off:
            words.append("compound pages off")
        return ", ".join(words) or "as the kernel comes"

    @property
    def words(self) -> str:
        """All of it, with what `--seed` takes to have it again."""
        return f"--seed {self.name}, {self.link.source} -> {self.link.sink}, {self.settings}"

    def limits_on(self, limits: Limits) -> Limits:
        """What limits of the slot model become under these settings."""
        return replace(
            limits,
            scatter_gather=limits.scatter_gather and Feature.SCATTER not in self.off,
            gso_max_size_bytes=self.gso_max_size_bytes or limits.gso_max_size_bytes,
        )

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """What the composer is to send; the first and the last one arrive under all settings.

        Without scatter-gather netfront may drop all that is in between, and a silence is one
        between two packets.
        """
        mix = Mix(gso=not NEEDED_FOR_GSO & set(self.off))
        return (PLAIN, *islice(random_layouts(self.layouts_seed, mix), LAYOUTS - 2), PLAIN)


def draw_round(name: str, chance: Random, links: Sequence[Link]) -> Round:
    """A round by the dice: by Random.random(), whose values Python promises to keep."""

    def among(choices: Sequence[int]) -> int:
        return choices[int(chance.random() * len(choices))]

    return Round(
        name=name,
        link=links[among(range(len(links)))],
        off=tuple(each for each in SWITCHES if not among(range(OFF_ONE_IN))),
        gso_max_size_bytes=among(GSO_SIZES_BYTES),
        high_order_off=bool(among((0, 1))),
        layouts_seed=among(range(1 << 31)),
    )


def soak_round(lab: LabHandle, drawn: Round) -> tuple[Verdict, ...]:
    """What all rules say of one round. Raises LabError, and MeasurementError.

    The form in which layouts come is that of the model in every round: the composer hands them to
    the driver itself, behind where the stack would cut or fill what a feature is off for
    (validate_xmit_skb(), net/core/dev.c), the vifs keep what they agreed upon as they connected,
    and GRO joins none of them.
    """
    link = drawn.link
    (flows,) = plan_runs(link, Extent.QUICK)
    # Before anything is set: what is then, the round itself knows.
    limits = drawn.limits_on(limits_of(lab, link))
    with _settings(lab, drawn):
        with composers_loaded(lab, link):
            run = send_layouts(lab, link, drawn.layouts, seed=drawn.layouts_seed, limits=limits)
        measured = measure_link(lab, link, flows)
        return (judge_layouts(run), judge_steady(run), *judge_measurement(measured))


@contextmanager
def _settings(lab: LabHandle, drawn: Round) -> Iterator[None]:
    """The round's settings in every domU of its link; afterwards what was."""
    values: Mapping[str, str] = {HIGH_ORDER: "1"} if drawn.high_order_off else {}
    ends = {
        drawn.link.source: drawn.link.source_device,
        drawn.link.sink: drawn.link.sink_device,
    }
    with ExitStack() as stack:
        for node, device in ends.items():
            if node == DOM0:
                continue
            shell = lab.shell(node)
            stack.enter_context(sysctls_set(shell, values, lab.budget(SET_S)))
            settings = stack.enter_context(open_settings(shell, [device], lab.budget(SET_S)))
            change = Change(
                device=device,
                features=dict.fromkeys(drawn.off, False),
                gso_max_size_bytes=drawn.gso_max_size_bytes,
            )
            changed = settings.apply([change], lab.budget(SET_S))
            if changed.refused:
                raise MeasurementError("; ".join(changed.refused))
        yield
