"""What a plan is going to leave out, told ahead: the same as the plan itself leaves out."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stages.apply import plan_writes
from stages.change import Change, Operation
from stages.hold import Block, Holds
from stages.omit import Omitted
from stages.passage import Passage
from stages.reject import Cause, Reject
from stages.write import Action, Write
from tests.unit.stages.ruled import compiled

RULES = compiled()
KEYS = ("a", "b", "c")


def _passage(number: int, key: str, *, fails: bool) -> Passage:
    raw = msgspec.Raw(msgspec.json.encode({"k": key}))
    change = Change(number, "emea", "account", Operation.INSERT, "application", "2026-03-01", key=raw)
    if fails:
        return Passage(1, change, rejects=(Reject(number, "emea.account", Cause.REFUSED, "no", rule_id=7),))
    return Passage(1, change, writes=(Write(7, Action.UPSERT, (key,), {"name": "Ann"}),))


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from(KEYS), st.booleans()), max_size=12),
    st.sets(st.sampled_from(KEYS)),
    st.sets(st.integers(1, 6)),
)
def test_what_is_not_omitted_is_in_the_plan(
    changes: list[tuple[int, str, bool]], blocked: set[str], applied: set[int]
) -> None:
    batch = [_passage(number, key, fails=fails) for number, key, fails in changes]
    known = {Block(7, "emea.account", msgspec.json.encode({"k": key})): 1 for key in blocked}
    repeated = frozenset((number, 7) for number in applied)
    omitted = Omitted(Holds(known), repeated)
    kept = []
    for one in batch:
        omitted.meet(one)
        kept += [
            (one.change.id, write.rule)
            for write in one.writes
            if one.change is not None and not omitted.has(one.change, write.rule)
        ]
    plan = plan_writes(batch, RULES, Holds(known), applied=repeated)
    assert kept == [(entry.change_id, entry.rule_id) for entry in plan.ledger]
