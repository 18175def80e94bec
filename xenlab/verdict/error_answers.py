"""The rule of error answers: netback tells of an error for the slots that failed, and no others."""

from __future__ import annotations

from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

ERRORS_AS_FORETOLD = "errors answered as foretold"


def judge_error_answers(answers: int, must: int, *, subject: str, lists: int) -> Verdict:
    """PASS if so many slots were answered with an error as failed; INCONCLUSIVE if none had to.

    `lists` packets have a frag_list behind a slot that is copied in part: theirs is the answer that
    is easily wrong (Linux commit 3ede7f84c7c2).
    """
    reasons: tuple[str, ...] = ()
    outcome = Outcome.PASS
    if answers != must:
        reasons = (f"{answers} slots were answered with an error, not {must}",)
        outcome = Outcome.FAIL
    elif not must:
        reasons, outcome = ("no slot failed",), Outcome.INCONCLUSIVE
    return Verdict(
        rule=ERRORS_AS_FORETOLD,
        subject=subject,
        outcome=outcome,
        reasons=reasons,
        numbers={"error_answers": answers, "must_be": must},
        control=f"{lists} packets have a frag_list behind a slot that is copied in part",
    )
