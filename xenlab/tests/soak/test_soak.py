"""Random layouts and flows under random settings, round after round, each replayable by its seed.

`xenlab test soak --duration 2h` goes on for two hours, a minute without; at least one round is
run. Each verdict names what `--seed` takes to begin with the same round, so `--duration 0s` beside
it replays that one alone. Needs what the suite `slots` needs.
"""

from __future__ import annotations

from xenlab.errors import XenlabError
from xenlab.pytest_plugin import Judge
from xenlab.traffic.consoles import judge_node_console
from xenlab.traffic.endurance import Endurance
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.soaking import draw_round, soak_round
from xenlab.verdict.soak import judge_round, verdict_of_broken_round
from xenlab.waiting import Deadline


def test_random_traffic_under_random_settings_is_endured(
    lab: LabHandle, endurance: Endurance, judge: Judge
) -> None:
    links = [link for link in lab.plan.links() if not link.routed]
    ending = Deadline.after(endurance.duration_s)
    number = endurance.first_round
    while number == endurance.first_round or not ending.expired:
        drawn = draw_round(endurance.name(number), endurance.chance(number), links)
        try:
            judge(judge_round(drawn.words, soak_round(lab, drawn)))
        except XenlabError as error:
            told = verdict_of_broken_round(drawn.words, error)
            if told is None:
                raise
            judge(told)
            break
        number += 1
    for node in lab.plan.node_names:
        judge(judge_node_console(lab, node))
