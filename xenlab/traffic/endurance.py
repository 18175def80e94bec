"""Endurance: how long or how much a suite sends, and the seed and the round to begin with."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from random import Random

from xenlab.errors import InputError
from xenlab.slots.layout import Layout
from xenlab.topology.wording import quote

UNITS_S = {"s": 1, "m": 60, "h": 3600}
DEFAULT_S = 60.0
SEEDS = 1 << 32

_AMOUNT = r"([0-9]{1,6})"
_DURATION = re.compile(rf"{_AMOUNT}([smh])")
_SEED = re.compile(r"(\d{1,10})(?::(\d{1,9}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
    """Rounds are begun for `duration_s`, at least one; the same seed gives the same rounds.

    `layouts` is how many random ones go over each link, and None what the suite holds right;
    `given` are those that go in their place, if any; `seed_given` says that somebody chose the
    seed.
    """

    seed: int
    seed_given: bool = False
    layouts: int | None = None
    given: tuple[Layout, ...] = ()
    first_round: int = 0
    duration_s: float = DEFAULT_S

    @classmethod
    def parse(cls, seed: str | None, duration: str | None, layouts: int | None = None) -> Endurance:
        """From `1234` or `1234:5`, and `90s`, `10m` or `2h`; a seed by chance where there is none.

        InputError for anything else.
        """
        wanted = _SEED.fullmatch(seed or str(secrets.randbelow(SEEDS)))
        if wanted is None:
            raise InputError(f"--seed {quote(seed or '')}: should be SEED or SEED:ROUND")
        lasting = _DURATION.fullmatch(duration or f"{DEFAULT_S:.0f}s")
        if lasting is None:
            raise InputError(f"--duration {quote(duration or '')}: {_correct(duration or '')}")
        return cls(
            seed=int(wanted[1]),
            seed_given=seed is not None,
            layouts=layouts,
            first_round=int(wanted[2] or 0),
            duration_s=int(lasting[1]) * UNITS_S[lasting[2]],
        )

    def name(self, number: int) -> str:
        """What `--seed` takes to begin with a round."""
        return f"{self.seed}:{number}"

    def chance(self, number: int) -> Random:
        """The dice of one round, whatever came before it."""
        return Random(self.name(number))  # noqa: S311 (it must be repeatable, not secret)


def _correct(duration: str) -> str:
    if re.fullmatch(_AMOUNT, duration):
        return f"should be {duration}s, {duration}m or {duration}h: it has no unit"
    return "should be like 90s, 10m or 2h"
