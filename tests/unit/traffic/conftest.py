"""What tests of contests share: a watch over a lab's consoles, which is the file's own fixture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from xenlab.traffic import vigil
from xenlab.traffic.turn_watch import TurnWatch, watching_turns

if TYPE_CHECKING:
    from tests.unit.traffic.test_turn_watch import Silent


@pytest.fixture
def watch(lab: Silent, monkeypatch: pytest.MonkeyPatch) -> Iterator[TurnWatch]:
    monkeypatch.setattr(vigil, "REPORT_S", 0.01)  # whatever is said here is said at once
    kept = {node: len(lab.console_bytes(node)) for node in lab.plan.node_names}
    with watching_turns(lab, kept) as watch:  # type: ignore[arg-type]
        yield watch
