"""Announcing: two lines of a node's log that say which fault is meant to come between them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from xenlab.guest.kernel_log import write_kernel_log
from xenlab.traffic.handle import LabHandle
from xenlab.verdict.console import announce_begin, announce_end
from xenlab.verdict.fault_table import Category

LOG_S = 10.0
NONCE_BYTES = 8


@contextmanager
def announced(lab: LabHandle, node: str, category: Category) -> Iterator[str]:
    """For the time of the context such a fault is excused; the word that both lines carry."""
    nonce = secrets.token_hex(NONCE_BYTES)
    shell = lab.shell(node)
    write_kernel_log(shell, [announce_begin(category, nonce)], lab.budget(LOG_S))
    try:
        yield nonce
    finally:
        write_kernel_log(shell, [announce_end(nonce)], lab.budget(LOG_S))
