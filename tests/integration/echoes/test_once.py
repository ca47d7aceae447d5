"""The old value that comes back after a newer write: decided once, whoever dies and whatever comes again."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.carry import carried, read_changes
from pipeline.postgres.echoes import Echoes
from pipeline.redis.streams import PartitionStreams
from pipeline.rules.cache import RuleSource
from pipeline.rules.compiled import CompiledRuleSource
from tests.fixtures.federation import FIELDS, both_ways

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.federation import Federation


class Crash(Exception):
    """Raised by a test in the place of a crash."""


class Hooked(PartitionStreams):
    """Streams of a worker that dies before it acknowledges."""

    dies = False

    def acknowledge(self, *arguments: Any) -> None:
        if Hooked.dies:
            raise Crash
        super().acknowledge(*arguments)


def old_value_after_a_newer_write(pair: Federation, carry: Callable[[], None]) -> None:
    """`first` and `second` are written to `south`; `first` comes back when `second` stands there."""
    pair.edit("north", name="new")
    pair.settle()
    north, south = pair.heroku["north"], pair.heroku["south"]
    pair.edit("north", name="first")
    north.read()
    carry()
    south.write()
    south.query()
    pair.edit("north", name="second")
    north.read()
    carry()
    south.deliver()
    assert pair.row("south")["name"] == "first"
    carry()
    pair.settle()


def require_quiet(pair: Federation) -> None:
    """Both orgs hold `second`, and nothing was written back."""
    assert [pair.record(org)["name"] for org in pair.orgs] == ["second", "second"]
    assert [pair.row(org)["name"] for org in pair.orgs] == ["second", "second"]
    assert (pair.writes("north"), pair.writes("south")) == (0, 3)
    assert pair.outstanding() == 0
    assert pair.letters() == []


def test_without_the_weighing_the_old_value_would_be_sent_back(
    pair: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Echoes, "weigh", lambda _, items, __: items)
    pair.link(both_ways("north", "south", *FIELDS))
    old_value_after_a_newer_write(pair, pair.carry)
    assert pair.writes("north") > 0


@pytest.mark.parametrize("flushed", [False, True])
def test_it_is_decided_the_same_after_a_crash_before_the_acknowledgement(
    pair: Federation, flushed: bool
) -> None:
    pair.link(both_ways("north", "south", *FIELDS))
    relay = pair.world.relay()

    def carry() -> None:
        pair.world.lose_leases()
        pair.world.settle(relay)
        Hooked.dies = True
        with pytest.raises(Crash):
            pair.world.settle(pair.world.worker(streams=Hooked(pair.world.client())))
        Hooked.dies = False
        if flushed:
            pair.world.redis.flushall()
        pair.world.lose_leases()
        pair.world.clock.advance()
        pair.world.settle(relay, pair.world.worker())
        pair.world.lose_leases()

    old_value_after_a_newer_write(pair, carry)
    require_quiet(pair)


def test_it_is_decided_the_same_after_a_crash_before_the_commit(
    pair: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.link(both_ways("north", "south", *FIELDS))
    remember = Echoes.remember

    def dies(echoes: Echoes, items: Any) -> None:
        remember(echoes, items)
        raise Crash

    def carry() -> None:
        monkeypatch.setattr(Echoes, "remember", dies)
        with pytest.raises(Crash):
            pair.carry()
        monkeypatch.setattr(Echoes, "remember", remember)
        pair.carry()

    old_value_after_a_newer_write(pair, carry)
    require_quiet(pair)


@pytest.mark.parametrize("stages", ["filter|match|transform|apply", "filter,match|transform,apply"])
def test_it_is_decided_the_same_between_split_workers(pair: Federation, stages: str) -> None:
    pair.link(both_ways("north", "south", *FIELDS), stages=stages.split("|"))
    old_value_after_a_newer_write(pair, pair.carry)
    require_quiet(pair)


def test_an_old_value_that_a_user_sets_again_is_replicated_though_all_comes_in_one_batch(
    pair: Federation,
) -> None:
    """Also where the stages before apply have seen it before apply has seen the echo."""
    pair.link(both_ways("north", "south", *FIELDS), stages=["filter,match,transform", "apply"])
    for name in ("first", "second"):
        pair.edit("north", name=name)
        pair.heroku["north"].read()
        pair.carry()
    pair.heroku["south"].settle()
    pair.edit("south", name="first")
    pair.heroku["south"].settle()
    pair.settle()
    assert [pair.record(org)["name"] for org in pair.orgs] == ["first", "first"]
    assert pair.writes("north") == 1


def test_what_is_carried_again_is_decided_as_it_was(pair: Federation) -> None:
    """A change with an echo and a true change in it waits while its rule is paused."""
    pair.link(both_ways("north", "south", *FIELDS))
    pair.orgs["south"].automate("Account", lambda new, _: {"Status__c": f"seen {new['name']}"})
    pair.world.app.execute("""
        INSERT INTO orgstream.paused_rule (rule_id, reason)
        SELECT rule_id, 'tried' FROM orgstream.replication_rules WHERE name = 'south-north'
        """)
    old_value_after_a_newer_write(pair, pair.carry)
    assert pair.writes("north") == 0
    pair.world.app.execute("DELETE FROM orgstream.paused_rule")
    pair.world.clock.advance()
    pair.settle()
    assert pair.world.rows("SELECT count(*) FROM orgstream.held_change") == [(0,)]
    for org in pair.orgs:
        assert (pair.record(org)["name"], pair.record(org)["status__c"]) == ("second", "seen second")
    written = pair.world.rows("""
        SELECT DISTINCT after ->> 'name' FROM orgstream.change_queue
        WHERE origin = 'orgstream' AND table_schema = 'north'
        """)
    assert written == [("second",)]
    assert _carried_again(pair, "name") == set()
    assert _carried_again(pair, "status__c") == {"seen new", "seen first", "seen second"}


def _carried_again(pair: Federation, column: str) -> set[str]:
    """The values of a column that would be written to `north`, were all changes of `south` carried again."""
    world = pair.world
    rules = CompiledRuleSource(RuleSource(world.connection, world.client())).current()
    ids = [id_ for (id_,) in world.rows("SELECT id FROM orgstream.change_queue WHERE origin = 'salesforce'")]
    passages = carried(read_changes(world.connection(), ids, rules.version), rules)
    writes = itertools.chain.from_iterable(passage.writes for passage in passages)
    meant = [write for write in writes if rules.by_id[write.rule].rule.name == "south-north"]
    return {write.values[column] for write in meant if column in write.changed}


def test_an_old_value_written_again_while_it_stands_over_a_newer_one_wins(pair: Federation) -> None:
    """The row holds it already; but Salesforce holds the newer one, or is about to."""
    source_wins = 'conflict = "source"\n[rules.map]'
    pair.link(both_ways("north", "south", *FIELDS).replace("[rules.map]", source_wins))

    def carry() -> None:
        pair.carry()
        if pair.row("south")["name"] == "first" and pair.row("north")["name"] == "second":
            pair.edit("north", name="first", city__c="Rome")
            pair.heroku["north"].read()
            pair.carry()

    old_value_after_a_newer_write(pair, carry)
    for org in pair.orgs:
        assert (pair.record(org)["name"], pair.record(org)["city__c"]) == ("first", "Rome")
        assert pair.row(org)["name"] == "first"
    assert pair.writes("north") == 0
    assert pair.outstanding() == 0
