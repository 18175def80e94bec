"""An error is answered for the slots that failed, no more and no fewer."""

from __future__ import annotations

import pytest

from xenlab.verdict.error_answers import judge_error_answers
from xenlab.verdict.outcome import Outcome


@pytest.mark.parametrize(
    ("answers", "must", "outcome"),
    [
        (9, 9, Outcome.PASS),
        (10, 9, Outcome.FAIL),
        (8, 9, Outcome.FAIL),
        (1, 0, Outcome.FAIL),
        (0, 0, Outcome.INCONCLUSIVE),
    ],
)
def test_answers_are_counted(answers: int, must: int, outcome: Outcome) -> None:
    verdict = judge_error_answers(answers, must, subject="alice -> dom0", lists=4)

    assert verdict.outcome is outcome
    assert verdict.numbers == {"error_answers": answers, "must_be": must}
