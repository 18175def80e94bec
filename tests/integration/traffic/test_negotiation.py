"""Reading a vif's two ends by a shell in dom0: there, absent, or nobody there to ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.traffic.namespace_lab import NamespaceLab
from xenlab.errors import CommandFailed
from xenlab.measure.negotiation import XenbusState
from xenlab.plan.model import DOM0
from xenlab.waiting import Deadline
from xenlab.xen.vif import Vif, read_negotiation

# What the programs of xenstore do where xenstored does not answer.
SILENT = "#!/bin/sh\necho 'xenstore-x: xs_open: Connection refused' >&2; exit 1\n"


def test_both_ends_of_a_vif_are_read(lab: NamespaceLab) -> None:
    found = read_negotiation(lab.shell(DOM0), Vif(domid=1, index=0), Deadline.after(10))
    assert found.backend is not None
    assert found.frontend is not None
    assert found.backend.state is XenbusState.CONNECTED
    assert found.frontend.feature("request-rx-copy")


def test_vif_that_is_not_there_has_no_ends(lab: NamespaceLab) -> None:
    found = read_negotiation(lab.shell(DOM0), Vif(domid=9, index=0), Deadline.after(10))
    assert (found.backend, found.frontend) == (None, None)


def test_store_that_does_not_answer_is_not_an_absent_vif(lab: NamespaceLab, tmp_path: Path) -> None:
    for program in ("xenstore-ls", "xenstore-exists"):
        (tmp_path / program).write_text(SILENT)
        (tmp_path / program).chmod(0o755)
    shell = lab.shell(DOM0)
    mute = type(shell)(where=shell.where, pid=shell.pid, programs=tmp_path)
    with pytest.raises(CommandFailed, match="Connection refused"):
        read_negotiation(mute, Vif(domid=1, index=0), Deadline.after(10))
