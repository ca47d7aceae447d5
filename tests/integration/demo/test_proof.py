"""The proof on a replica where nothing is wrong, and on ones where one thing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import pytest

from pipeline.proof.verdict import Kind

if TYPE_CHECKING:
    from pipeline.proof.verdict import Verdict
    from tests.integration.demo.conftest import Replica

KINDS = (Kind.LOST, Kind.REPEATED, Kind.OUT_OF_ORDER, Kind.WRONG)


@pytest.fixture
def filled(replica: Replica) -> Replica:
    """Two accounts, one of them renamed twice, with a replication in between and after."""
    replica.add_account("E1", name="first")
    replica.add_account("E2", status__c="Prospect")
    replica.replicate()
    replica.rename("E1", "second")  # coalesced with the next
    replica.rename("E1", "third")
    replica.replicate()
    return replica


def counts(verdict: Verdict) -> dict[Kind, int]:
    return {kind: count for kind in KINDS if (count := verdict.count(kind))}


def test_a_good_replica_is_proven(filled: Replica) -> None:
    verdict = filled.verdict()
    assert verdict.findings == ()
    assert verdict.proven
    # Into the hub two inserts and two updates, the updates as one; and on goes E1, for E2 is no customer.
    assert verdict.applied == 4 + 2
    assert verdict.captured == 4 + 3
    assert verdict.suppressed == 1


def test_nothing_replicated_proves_nothing(replica: Replica) -> None:
    assert not replica.verdict().proven


def test_deletes_and_departures_are_proven(filled: Replica) -> None:
    filled.user.execute("UPDATE emea.account SET status__c = 'Inactive' WHERE ext_id__c = 'E1'")
    filled.user.execute("DELETE FROM emea.account WHERE ext_id__c = 'E2'")
    filled.replicate()
    assert filled.verdict().findings == ()
    rows = filled.user.execute("SELECT ext_id__c, status__c, active__c FROM hub.account").fetchall()
    assert rows == [("E1", "Former", False)]


def test_a_lost_row_is_found(filled: Replica) -> None:
    unseen(filled, "DELETE FROM us.account WHERE ext_id__c = 'E1'")
    verdict = filled.verdict()
    assert counts(verdict) == {Kind.LOST: 1}
    assert not verdict.proven
    assert verdict.findings[0].rule == "accounts-hub-to-us"


def test_a_lost_write_is_found(filled: Replica) -> None:
    filled.user.execute(
        "DELETE FROM orgstream.applied WHERE change_id = (SELECT min(id) FROM orgstream.change_queue)"
    )
    verdict = filled.verdict()
    assert counts(verdict) == {Kind.LOST: 1}
    assert "was never applied" in verdict.findings[0].message


def test_a_change_that_was_not_captured_is_found(filled: Replica) -> None:
    unseen(filled, "UPDATE emea.account SET local_note__c = 'x' WHERE ext_id__c = 'E1'")
    verdict = filled.verdict()
    assert counts(verdict) == {Kind.LOST: 1}
    assert "never captured" in verdict.findings[0].message


def test_a_delete_that_did_not_arrive_is_found(filled: Replica) -> None:
    unseen(filled, "DELETE FROM emea.account WHERE ext_id__c = 'E2'")
    assert counts(filled.verdict()) == {Kind.LOST: 1}


def test_a_wrong_value_is_found(filled: Replica) -> None:
    unseen(filled, "UPDATE us.account SET phone = '1' WHERE ext_id__c = 'E1'")
    verdict = filled.verdict()
    assert counts(verdict) == {Kind.WRONG: 1}
    assert verdict.findings[0].message == "phone is 1, not 0"


def test_a_row_that_should_be_gone_is_found(filled: Replica) -> None:
    filled.user.execute("DELETE FROM emea.account WHERE ext_id__c = 'E2'")
    filled.replicate()
    unseen(filled, "INSERT INTO hub.account (ext_id__c, name) VALUES ('E2', 'Acme')")
    verdict = filled.verdict()
    assert Kind.WRONG in counts(verdict)
    assert any("should be gone" in finding.message for finding in verdict.findings)


def test_a_write_after_a_later_one_is_found(filled: Replica) -> None:
    """The hub passed `second` over: a worker that writes it now is too late, though all ends well."""
    filled.user.execute('ALTER TABLE hub.account DISABLE TRIGGER "00_orgstream_update"')
    with filled.zombie() as zombie:
        zombie.execute("UPDATE hub.account SET name = 'second' WHERE ext_id__c = 'E1'")
    unseen(filled, "UPDATE hub.account SET name = 'third' WHERE ext_id__c = 'E1'")
    verdict = filled.verdict()
    assert counts(verdict) == {Kind.OUT_OF_ORDER: 1}
    assert not verdict.proven


def test_a_write_done_again_is_found(filled: Replica) -> None:
    with filled.zombie() as zombie:
        zombie.execute("UPDATE us.account SET name = 'first' WHERE ext_id__c = 'E1'")
    unseen(filled, "UPDATE us.account SET name = 'third' WHERE ext_id__c = 'E1'")
    verdict = filled.verdict()
    assert counts(verdict) == {Kind.REPEATED: 1}
    assert not verdict.proven


def test_a_write_that_changed_nothing_is_found(filled: Replica) -> None:
    with filled.zombie() as zombie:
        zombie.execute("UPDATE us.account SET name = name WHERE ext_id__c = 'E1'")
    assert counts(filled.verdict()) == {Kind.REPEATED: 1}


def test_a_value_that_never_was_is_found(filled: Replica) -> None:
    with filled.zombie() as zombie:
        zombie.execute("UPDATE us.account SET name = 'fourth' WHERE ext_id__c = 'E1'")
    unseen(filled, "UPDATE us.account SET name = 'third' WHERE ext_id__c = 'E1'")
    assert counts(filled.verdict()) == {Kind.WRONG: 1}


def test_a_dead_letter_is_no_proof(filled: Replica) -> None:
    filled.user.execute("ALTER TABLE hub.account ADD CHECK (phone <> 'bad')")
    filled.add_account("E3", phone="bad")
    filled.replicate()
    verdict = filled.verdict()
    assert (verdict.dead, counts(verdict)) == (1, {Kind.LOST: 1})  # its row is missing, too
    assert not verdict.proven


def unseen(replica: Replica, statement: LiteralString) -> None:
    """Run a statement that no trigger sees."""
    with replica.user.transaction():
        replica.user.execute("SET LOCAL session_replication_role = replica")
        replica.user.execute(statement)
