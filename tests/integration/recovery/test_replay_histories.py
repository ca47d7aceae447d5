"""Random histories, live and replayed side by side: the target ends as the rules say of the source."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from hypothesis import settings

from pipeline.replay import replayer
from pipeline.replay.fold import fold
from tests.fixtures.orgs import RULES

if TYPE_CHECKING:
    import pytest

    from pipeline.replay.fold import Folded, Pair, Told
    from pipeline.replay.histories import Group
    from pipeline.replay.replayer import Replayer
    from stages.passage import Passage
    from tests.integration.recovery.conftest import Pipeline

KEYS = ("a", "b", "c", "d", "e")
# Chance deletes the few records again and again.
LIVE = RULES.replace("[rules.map]", "max_deletes = { count = 1000000 }\n[rules.map]")
NOTHING = LIVE.replace('when = "active"', 'when = "false"')
WANTED = "SELECT ext_id, upper(name), city, amount::numeric(12, 2) FROM emea.account WHERE active ORDER BY 1"
THERE = "SELECT ext_id, name, city, amount FROM us.account ORDER BY 1"


class History:
    """One random history of a few records."""

    def __init__(self, pipeline: Pipeline, seed: int) -> None:
        self._pipeline = pipeline
        self._chance = random.Random(seed)
        self._replays: list[Replayer] = []
        self._number = 0

    def run(self, steps: int) -> None:
        """Let users, relay, worker, rules and replays move at random; then all come to rest."""
        moves = (self._write, self._write, self._delete, self._rename, self._live, self._rules, self._replay)
        for _ in range(steps):
            self._chance.choice(moves)()
        self._pipeline.world.apply_rules(LIVE)
        self._pipeline.settle()
        while self._replays:
            self._step()
        self._pipeline.replay()
        self._pipeline.settle()

    def differs(self) -> bool:
        """Whether the target is not what the rules say of the source."""
        return self._pipeline.world.rows(WANTED) != self._pipeline.world.rows(THERE)

    def _write(self) -> None:
        self._number += 1
        key, active = self._chance.choice(KEYS), self._chance.random() < 0.8
        if self._chance.random() < 0.5:
            self._execute(
                "UPDATE emea.account SET amount = %s, active = %s WHERE ext_id = %s",
                self._number,
                active,
                key,
            )
        else:
            self._pipeline.put(key, f"n{self._number}", self._number, active=active)

    def _delete(self) -> None:
        self._execute("DELETE FROM emea.account WHERE ext_id = %s", self._chance.choice(KEYS))

    def _rename(self) -> None:
        old, new = self._chance.sample(KEYS, 2)
        self._execute(
            "UPDATE emea.account SET ext_id = %s WHERE ext_id = %s"
            " AND NOT EXISTS (SELECT FROM emea.account WHERE ext_id = %s)",
            *(new, old, new),
        )

    def _live(self) -> None:
        mover: Any = self._chance.choice((self._pipeline.relay, self._pipeline.worker))
        for _ in range(self._chance.randint(1, 4)):
            mover.step()
        self._pipeline.world.clock.advance(0.5)

    def _rules(self) -> None:
        self._pipeline.world.apply_rules(self._chance.choice((LIVE, LIVE, NOTHING)))

    def _replay(self) -> None:
        if self._replays and self._chance.random() < 0.7:
            self._step()
        else:
            self._replays.append(self._pipeline.replayer(force=self._chance.random() < 0.4))

    def _step(self) -> None:
        one = self._chance.choice(self._replays)
        if not self._pipeline.step(one, self._chance.randint(1, 2)):
            self._replays.remove(one)

    def _execute(self, query: Any, *parameters: object) -> None:
        self._pipeline.world.app.execute(query, parameters)


def test_the_target_is_what_the_rules_say_of_the_source(pipeline: Pipeline) -> None:
    for seed in range(settings().max_examples // 12):
        history = History(pipeline, seed)
        history.run(60)
        assert not history.differs(), f"seed {seed}"
    assert pipeline.letters() == []
    assert pipeline.world.rows("SELECT * FROM orgstream.replay_failure") == []


def test_the_check_sees_a_replay_of_single_images(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alone(group: Group, selected: frozenset[Pair], passages: dict[int, Passage], told: Told) -> Folded:
        changes = {change for change, _ in selected}
        return fold(group, selected, {change: p for change, p in passages.items() if change in changes}, told)

    monkeypatch.setattr(replayer, "fold", alone)
    found = False
    for seed in range(20):
        history = History(pipeline, seed)
        history.run(60)
        found = found or history.differs()
        if found:
            break
        pipeline.world.app.execute("DELETE FROM emea.account")
        pipeline.settle()
    assert found
