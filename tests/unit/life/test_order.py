"""A lab that is up is the one that was ordered, or the order is refused."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from xenlab.errors import InputError
from xenlab.life.order import Undertaking, UpOrder
from xenlab.life.phases import Phases
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.record import LabRecord, LabState
from xenlab.report.progress import open_progress


@pytest.fixture
def standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabRecord:
    """A lab of `pair` with stock drivers that this test holds up."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    own = ProcessIdentity.own()
    record = LabRecord(
        name="pair", lab_id="0" * 8, state=LabState.UP, transient=False, creator=own,
        created_unix_s=time.time(), topology="pair", accel="tcg", accel_reason="a test",
        plan_json=UpOrder(topology="pair").plan().to_json(), machine_uuid="", sandbox=own,
    )  # fmt: skip
    record.places.state.mkdir(parents=True)
    record.write()
    return record


def find_standing(order: UpOrder) -> LabRecord | None:
    return Undertaking(
        order=order, phases=Phases(watcher=open_progress(io.StringIO()))
    ).find_standing()


def test_same_order_finds_the_lab_that_is_up(standing: LabRecord) -> None:
    assert find_standing(UpOrder(topology="pair")) == standing
    assert find_standing(UpOrder(topology="pair", lab="other")) is None


@pytest.mark.parametrize(
    ("order", "other"),
    [
        (UpOrder(topology="quad", lab="pair"), "another plan"),
        (UpOrder(topology="pair", netfront=("netfront-slots-limit",)), "other drivers or kernels"),
    ],
)
def test_other_order_under_its_name_is_a_word_to_be_changed_and_no_lack_of_the_host(
    standing: LabRecord, order: UpOrder, other: str
) -> None:
    with pytest.raises(InputError, match=f"lab pair is up with {other}") as raised:
        find_standing(order)

    assert raised.value.exit_code == 2
    assert raised.value.try_next == "xenlab down pair"
