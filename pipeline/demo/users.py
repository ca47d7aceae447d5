"""The users of one org: they make, change and delete records, and note things on records of others.

What they do keeps clear of two habits of Heroku Connect that lose edits by themselves: a field is never set
back to a value it had a moment ago, and nothing is deleted, nor moved out of a rule's sight, while an edit of
it may still be on its way to or from Salesforce.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.connect import Refused
from pipeline.demo.chance import chance
from pipeline.demo.data import People
from pipeline.demo.objects import HUB, sends

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.desk import Desk

#: Seconds without an edit after which a record may be deleted or moved out of a rule's sight.
SETTLED_SECONDS: Final = 10.0
_HOT: Final = 25  # records that everybody works on at once, so that order matters
_TRIES: Final = 8  # looks for a record that nobody touches


class Known(msgspec.Struct):
    """A record of an org's own, as its users remember it."""

    sobject: str
    ext_id: str
    values: dict[str, Any]
    edited_at: float = -math.inf


class Tally(msgspec.Struct):
    """How many edits there were, and how many the org refused."""

    creates: int = 0
    updates: int = 0
    deletes: int = 0
    refusals: int = 0


class Users:
    """The users of one org. `shared` has the external ids of accounts that reach the other orgs."""

    def __init__(self, desk: Desk, shared: list[str], *, seed: int, clock: Callable[[], float]) -> None:
        self.org = desk.org.name
        self.tally = Tally()
        self._desk = desk
        self._shared = shared
        self._noted_at: dict[str, float] = {}
        self._clock = clock
        self._people = People(self.org, seed)
        self._rng = chance(seed, f"users of {self.org}")
        self._own: list[Known] = []
        self._accounts: list[str] = []
        self._edits = 0

    def load(self, records: int) -> None:
        """Fill the org: to each account about two contacts and as many deals."""
        while len(self._own) < records:
            if len(self._own) % 5 == 0:
                account = self._people.account()
                self._accounts.append(account["Ext_Id__c"])
                if sends(self.org) and account["Status__c"] == "Active":
                    self._shared.append(account["Ext_Id__c"])
                self._keep("Account", account)
            else:
                self._keep(*self._dependent())

    def edit(self) -> None:
        """Do one thing, whichever comes to mind."""
        self._edits += 1
        shares = {self._change: 66, self._note: 12, self._turn: 9, self._create: 9, self._delete: 4}
        (act,) = self._rng.choices(list(shares), list(shares.values()))
        try:
            act()
        except Refused:
            self.tally.refusals += 1

    def _change(self) -> None:
        """Change some fields of a record, now and then of one that others work on too."""
        among = self._own[:_HOT] if self._rng.random() < 0.3 else self._own
        known = self._rng.choice(among)
        self._update(known, self._people.new_values(known.sobject, known.values, edit=self._edits))

    def _note(self) -> None:
        """Write into an account of anybody's what concerns this org alone; in the hub, rate it too."""
        ext_id = self._rng.choice(self._shared)
        values: dict[str, Any] = {"Local_Note__c": f"Call {self._edits} went well"}
        if self.org == HUB and self._noted_at.get(ext_id, -math.inf) < self._clock() - SETTLED_SECONDS:
            values["Rating"] = self._rng.choice(("Hot", "Warm", "Cold"))
            self._noted_at[ext_id] = self._clock()
        self._desk.update("Account", ext_id, values)
        self.tally.updates += 1

    def _turn(self) -> None:
        """Change what decides whether a rule carries the record."""
        known = self._at_rest(deletable=False)
        if known is None:
            self._change()
        else:
            self._update(known, self._people.turn(known.sobject, known.values))

    def _create(self) -> None:
        made = ("Account", self._people.account()) if self._rng.random() < 0.15 else self._dependent()
        self._desk.create(*made)
        self._remember(*made)
        self.tally.creates += 1

    def _delete(self) -> None:
        known = self._at_rest(deletable=True)
        if known is None:
            self._change()
            return
        self._own.remove(known)
        self._desk.delete(known.sobject, known.ext_id)
        self.tally.deletes += 1

    def _at_rest(self, *, deletable: bool) -> Known | None:
        """A record that nobody has edited for a while; to be deleted, one that no other belongs to."""
        for known in self._rng.choices(self._own, k=_TRIES):
            is_parent = known.sobject == "Account" and known.ext_id in self._accounts
            if known.edited_at < self._clock() - SETTLED_SECONDS and not (deletable and is_parent):
                return known
        return None

    def _dependent(self) -> tuple[str, dict[str, Any]]:
        account = self._rng.choice(self._accounts)
        if self._rng.random() < 0.5:
            return "Contact", self._people.contact(account)
        return "Opportunity", self._people.opportunity(account)

    def _update(self, known: Known, values: dict[str, Any]) -> None:
        self._desk.update(known.sobject, known.ext_id, values)
        known.values |= values
        known.edited_at = self._clock()
        self.tally.updates += 1

    def _keep(self, sobject: str, values: dict[str, Any]) -> None:
        self._desk.org.create(sobject, values)
        self._remember(sobject, values)
        self._own[-1].edited_at = -math.inf
        self.tally.creates += 1

    def _remember(self, sobject: str, values: dict[str, Any]) -> None:
        self._own.append(Known(sobject, values["Ext_Id__c"], values, self._clock()))
