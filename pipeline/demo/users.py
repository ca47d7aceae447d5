"""The users of one org: they make, change and delete records, and note things on records of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.connect import Refused
from pipeline.demo.data import People
from pipeline.demo.objects import HUB, sends
from pipeline.proof.chance import chance

if TYPE_CHECKING:
    from pipeline.demo.calm import Calm
    from pipeline.demo.desk import Desk

_HOT: Final = 25  # records of the hub that everybody works on at once, so that order matters
_HOT_SHARE: Final = 0.3
_TRIES: Final = 8  # looks for a record that nobody touches
_PER_ACCOUNT: Final = 5  # an account, and four records that belong to it


class Known(msgspec.Struct):
    """A record of an org's own, as its users remember it."""

    sobject: str
    ext_id: str
    values: dict[str, Any]
    sfid: str | None


class Tally(msgspec.Struct):
    """How many edits there were, and how many the org refused."""

    creates: int = 0
    updates: int = 0
    deletes: int = 0
    refusals: int = 0


class Users:
    """The users of one org. `shared` has the external ids of accounts that reach the other orgs."""

    def __init__(self, desk: Desk, shared: list[str], *, seed: int, calm: Calm) -> None:
        self.org = desk.org.name
        self.tally = Tally()
        self._desk = desk
        self._shared = shared
        self._calm = calm
        self._people = People(self.org, seed)
        self._rng = chance(seed, f"users of {self.org}")
        self._own: list[Known] = []
        self._hot: list[Known] = []
        self._accounts: list[str] = []  # that others may belong to
        self._edits = 0

    def load(self, records: int) -> None:
        """Fill the org: to each account about two contacts and as many deals."""
        for number in range(records):
            if number % _PER_ACCOUNT == 0:
                made = "Account", self._people.account()
                self._accounts.append(made[1]["Ext_Id__c"])
            else:
                made = self._dependent()
            self._remember(*made, self._desk.org.create(*made))
        if self.org == HUB:
            self._hot, self._own = self._own[:_HOT], self._own[_HOT:]
        if sends(self.org):
            accounts = (known for known in self._own if known.sobject == "Account")
            self._shared += [known.ext_id for known in accounts if known.values["Status__c"] == "Active"]

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
        """Change some fields of a record; where all are in use, make one more."""
        if self._hot and self._rng.random() < _HOT_SHARE:
            known = self._rng.choice(self._hot)
            self._update(known, self._fresh(known), in_salesforce=True)
        elif (at_rest := self._at_rest()) is not None:
            self._update(at_rest, self._fresh(at_rest))
        else:
            self._create()

    def _note(self) -> None:
        """Write into an account of anybody's what concerns this org alone; in the hub, rate it too."""
        ext_id = self._rng.choice(self._shared)
        if not self._calm.claim(ext_id):
            self._change()
            return
        values: dict[str, Any] = {"Local_Note__c": f"Call {self._edits} went well"}
        if self.org == HUB:
            values["Rating"] = self._rng.choice(("Hot", "Warm", "Cold"))
        self._desk.update("Account", ext_id, values)
        self.tally.updates += 1

    def _turn(self) -> None:
        """Change what decides whether a rule carries the record."""
        known = self._at_rest()
        if known is None:
            self._create()
        else:
            self._update(known, self._people.turn(known.sobject, known.values))

    def _create(self) -> None:
        made = ("Account", self._people.account()) if self._rng.random() < 0.15 else self._dependent()
        self._calm.claim(made[1]["Ext_Id__c"])
        self._remember(*made, self._desk.create(*made))

    def _delete(self) -> None:
        """Delete a record that no other belongs to."""
        known = self._at_rest()
        if known is None or known.ext_id in self._accounts:
            self._change()
        else:
            self._own.remove(known)
            self._desk.delete(known.sobject, known.ext_id, known.sfid)
            self.tally.deletes += 1

    def _at_rest(self) -> Known | None:
        """A record that nobody has edited for a while; it is ours for as long."""
        candidates = self._rng.choices(self._own, k=_TRIES)
        return next((known for known in candidates if self._calm.claim(known.ext_id)), None)

    def _dependent(self) -> tuple[str, dict[str, Any]]:
        account = self._rng.choice(self._accounts)
        if self._rng.random() < 0.5:
            return "Contact", self._people.contact(account)
        return "Opportunity", self._people.opportunity(account)

    def _fresh(self, known: Known) -> dict[str, Any]:
        return self._people.new_values(known.sobject, known.values, edit=self._edits)

    def _update(self, known: Known, values: dict[str, Any], *, in_salesforce: bool = False) -> None:
        self._desk.update(known.sobject, known.ext_id, values, in_salesforce=in_salesforce)
        known.values |= values
        self.tally.updates += 1

    def _remember(self, sobject: str, values: dict[str, Any], sfid: str | None) -> None:
        self._own.append(Known(sobject, values["Ext_Id__c"], values, sfid))
        self.tally.creates += 1
