"""The bench's JSON keeps every sample, and what is short of its aim is named with its cost."""

from __future__ import annotations

import json

from bench.figures import COLD, CONNECTED, KERNEL, Outcome, Phase
from bench.peers import Peers
from bench.report import render_costs, render_json, render_table

PEERS = Peers(bare_floor_s=(20.0, 18.0, 25.0), virtme_ng_s=(9.0,))
COLD_OUTCOME = Outcome(
    figure=COLD, samples=(22.0, 24.0, 21.0), phases=(Phase(name="boot", elapsed_s=19.0),)
)
CONNECTED_OUTCOME = Outcome(figure=CONNECTED, samples=(1.2,))


def test_json_keeps_samples_medians_and_peers() -> None:
    document = json.loads(
        render_json((COLD_OUTCOME, CONNECTED_OUTCOME), PEERS, {"try": "it failed"})
    )

    assert document["schema_version"] == 1
    assert document["figures"][0]["samples"] == [22.0, 24.0, 21.0]
    assert document["figures"][0]["median"] == 22.0
    assert document["figures"][0]["standing"] == "floor held"
    assert document["not_measured"] == {"try": "it failed"}
    assert document["peers"]["bare_floor_s"] == [20.0, 18.0, 25.0]


def test_what_is_short_of_its_aim_is_named_with_its_cost() -> None:
    assert render_costs((COLD_OUTCOME, CONNECTED_OUTCOME)) == (
        "up pair, cold: floor held; boot 19.0 s"
    )


def test_cold_ratio_is_to_the_median_of_the_bare_floor() -> None:
    assert PEERS.cold_ratio(COLD_OUTCOME).median == 1.1


def test_peers_that_did_not_run_are_null_and_no_columns() -> None:
    assert json.loads(render_json((COLD_OUTCOME,), None, {}))["peers"] is None
    assert render_table((COLD_OUTCOME,), None).row_count == 1
    assert render_table((COLD_OUTCOME,), PEERS).row_count == 3


def test_figure_that_virtme_ng_has_too_is_told_as_a_multiple_of_it() -> None:
    taken = (Phase(name="build", elapsed_s=440.0), Phase(name="boot", elapsed_s=9.0))
    outcome = Outcome(figure=KERNEL, samples=(110.0,), virtme_ng=taken)
    table = render_table((outcome,), None)

    assert [*table.columns[-1].cells] == ["0.25"]
    figure = json.loads(render_json((outcome,), None, {}))["figures"][0]
    assert figure["virtme_ng"] == {"build": 440.0, "boot": 9.0}
