"""xenstore and the vifs in it, read from the output of xenstore-ls."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure.negotiation import XenbusState
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.vif import judge_negotiation
from xenlab.xen.vif import Vif, parse_negotiation
from xenlab.xen.xenstore import XenstoreTree, parse_xenstore

RECORDED = Path(__file__).parent / "recorded/xenstore-ls-pair.txt"


@pytest.fixture
def tree() -> XenstoreTree:
    lines = RECORDED.read_text().splitlines()
    return parse_xenstore(line for line in lines if not line.startswith("#"))


def test_values_are_read_by_path_and_absent_is_not_empty(tree: XenstoreTree) -> None:
    assert tree.read("/local/domain/1/name") == "alice"
    assert tree.read("/local/domain/1/data") == ""
    assert tree.read("/local/domain/1/nothing") is None


def test_escapes_are_undone(tree: XenstoreTree) -> None:
    note = tree.read("/local/domain/1/data/note")
    assert note == 'a tab\t, a \\, a "quote" and \u00c3\u00a4'


def test_keys_under_a_path_are_relative_to_it(tree: XenstoreTree) -> None:
    keys = tree.keys_under("/local/domain/0/backend/vif/2/0")
    assert keys["hotplug-status"] == "connected"
    assert "/local/domain/0/backend/vif/2/0" not in keys


def test_domain_10_is_not_under_domain_1() -> None:
    tree = parse_xenstore(['/local/domain/1/a = "1"', '/local/domain/10/a = "2"'])
    assert tree.keys_under("/local/domain/1") == {"a": "1"}


@pytest.mark.parametrize("line", ["xenstore-ls: could not access permissions", "/a = b", ""])
def test_line_that_is_no_node_is_an_error(line: str) -> None:
    with pytest.raises(MeasurementError, match="xenstore-ls wrote"):
        parse_xenstore([line])


@pytest.mark.parametrize("name", ["vif1.0", "vif2.0"])
def test_vif_of_stock_drivers_is_negotiated(tree: XenstoreTree, name: str) -> None:
    negotiation = parse_negotiation(Vif.parse(name), tree)
    assert judge_negotiation(name, negotiation, queues=None).outcome is Outcome.PASS


def test_both_ends_of_a_vif_have_their_own_keys(tree: XenstoreTree) -> None:
    negotiation = parse_negotiation(Vif(domid=1, index=0), tree)
    assert negotiation.backend is not None
    assert negotiation.frontend is not None
    assert negotiation.backend.state is XenbusState.CONNECTED
    assert negotiation.backend.feature("feature-rx-copy")
    assert not negotiation.backend.feature("feature-rx-flip")
    assert negotiation.frontend.keys["tx-ring-ref"] == "768"


def test_vif_that_is_not_there_has_no_ends(tree: XenstoreTree) -> None:
    negotiation = parse_negotiation(Vif(domid=9, index=0), tree)
    assert (negotiation.backend, negotiation.frontend) == (None, None)


@pytest.mark.parametrize("state", ["", "x", "9"])
def test_state_that_is_none_is_an_error(state: str) -> None:
    tree = parse_xenstore([f'/local/domain/1/device/vif/0/state = "{state}"'])
    with pytest.raises(MeasurementError, match="state is"):
        parse_negotiation(Vif(domid=1, index=0), tree)


def test_end_without_a_state_is_an_error() -> None:
    tree = parse_xenstore(['/local/domain/1/device/vif/0/mac = "00:16:3e:00:00:01"'])
    with pytest.raises(MeasurementError, match="has no state"):
        parse_negotiation(Vif(domid=1, index=0), tree)


def test_name_of_a_vif_gives_its_places() -> None:
    vif = Vif.parse("vif12.3")
    assert str(vif) == "vif12.3"
    assert vif.backend_path == "/local/domain/0/backend/vif/12/3"
    assert vif.frontend_path == "/local/domain/12/device/vif/3"


@pytest.mark.parametrize("name", ["vif1", "vif1.0-emu", "eth0", "xvif1.0", "vif1.0\n"])
def test_name_of_another_device_is_no_vif(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a vif"):
        Vif.parse(name)
