"""Words of the command line that are for all domUs, or for one (`alice=WORD`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xenlab.errors import InputError
from xenlab.topology.wording import did_you_mean, list_names, quote

# `alice=WORD` is for alice alone; a path with `=` in its first part is written `./a=b.patch`.
FOR_ONE = re.compile(r"(?P<node>[a-z0-9-]+)=(?P<word>.+)")


def spread_words(option: str, given: Sequence[str], domus: Sequence[str]) -> dict[str, str]:
    """The word for each domU that has one; a later word stands over an earlier one."""
    words: dict[str, str] = {}
    if given and not domus:
        raise InputError(f"{option}: there is no domU")
    for text in given:
        found = FOR_ONE.fullmatch(text)
        if found and found["node"] not in domus:
            hint = did_you_mean(found["node"], domus)
            raise InputError(
                f"{option}: no domU {quote(found['node'])}{hint} (there are {list_names(domus)})"
            )
        words |= {found["node"]: found["word"]} if found else dict.fromkeys(domus, text)
    return words
