"""From a patch by hand to a verdict: a loss is a FAIL that names it, a harmless change a PASS."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.conftest import Xenlab

NETFRONT = "drivers/net/xen-netfront.c"
# How xennet_start_xmit() begins.
PATCH = f"""\
From: Somebody <somebody@host.invalid>
Subject: [PATCH] xen-netfront: {{subject}}

---
--- a/{NETFRONT}
+++ b/{NETFRONT}
@@ -723,6 +723,{{lines}} @@ static netdev_tx_t xennet_start_xmit(
 \t/* Drop the packet if no queues are set up */
 \tif (num_queues < 1)
 \t\tgoto drop;
{{added}} \tif (unlikely(np->broken))
 \t\tgoto drop;
 \t/* Determine which queue to transmit this SKB on */
"""
# Returns early, as if it had been sent: no counter moves. Datagrams only, for a stream whose odd
# segments never arrive takes minutes to give up.
ODD = (
    "+\tif (skb->protocol == htons(ETH_P_IP) && skb->len & 1 &&\n"
    "+\t    ip_hdr(skb)->protocol == IPPROTO_UDP) {\n"
    "+\t\tdev_kfree_skb_any(skb);\n+\t\treturn NETDEV_TX_OK;\n+\t}\n"
)
HARMLESS = "+\tif (unlikely(!skb->len))\n+\t\tgoto drop;\n"


def write(folder: Path, subject: str, added: str) -> Path:
    path = folder / f"{subject.replace(' ', '-')}.patch"
    count = 6 + added.count("\n")
    path.write_text(PATCH.format(subject=subject, lines=count, added=added))
    return path


def test_patch_that_drops_odd_lengths_fails_by_the_loss_and_a_harmless_one_passes(
    xenlab: Xenlab, tmp_path: Path
) -> None:
    document = tmp_path / "odd.json"
    odd = xenlab.run("try", str(write(tmp_path, "odd", ODD)), "--quick", "--json", str(document))
    said = (odd.stdout + odd.stderr).decode(errors="replace")

    assert odd.returncode == 1, said
    assert "xen_netfront alone changed: built as a module" in said
    told = json.loads(document.read_text())
    assert told["outcome"] == "FAIL"
    worse = [change for change in told["changes"] if change["turn"] == "worse"]
    assert worse, said
    assert {change["base"] for change in worse} == {"PASS"}
    losses = [
        reason for verdict in told["verdicts"] for reason in verdict["reasons"]
        if "of 16 datagrams missing" in reason
    ]  # fmt: skip
    assert losses, said
    (lost,) = [each for each in told["penalties"] if each["name"] == "datagrams lost"]
    assert lost["base"]["events"] == 0
    assert lost["patched"]["events"] > 0

    harmless = write(tmp_path, "harmless", HARMLESS)
    good = xenlab.run("try", str(harmless), "--quick", "--cover")
    said = (good.stdout + good.stderr).decode(errors="replace")

    assert good.returncode == 0, said
    assert "nothing of it has changed" in said  # the base is not run again
    assert "outcome: PASS" in said
    assert f"xenlab try {harmless} --quick --cover" in said
    assert "try-" not in xenlab.succeed("status")
