"""A bout: one write of the source against what is there in the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from stages.match import reject
from stages.provenance import Provenance
from stages.reject import Cause, Reject
from stages.removal import Removal, late_update
from stages.resend import Answers, is_answer
from stages.rules.compile import CompiledRule
from stages.stamp import Stamp, of_column, unknown
from stages.verdict import UNKNOWN, Claim, Side, Verdict, decide
from stages.write import Action, Write

if TYPE_CHECKING:
    from stages.change import Change
    from stages.rules.compile import CompiledRules
    from stages.rules.contest import Contest
    from stages.scene import Present, Scene

_MESSAGE: Final = (
    "the target's value was edited too, and the policy is `manual`: make both sides agree and retry, or skip "
    "the letter to leave the target as it is"
)


class Conflict(msgspec.Struct, frozen=True):
    """One conflict and how it was decided. Without `column` it is about the record: one side deleted it."""

    change_id: int
    rule: CompiledRule
    key: tuple[Any, ...]
    column: str | None
    source_value: Any
    target_value: Any
    winner: Side
    policy: str
    why: str
    edited: Stamp
    seen: Stamp


class Bout:
    """One write against what is there."""

    def __init__(
        self, change: Change, write: Write, contest: Contest, rules: CompiledRules, scene: Scene
    ) -> None:
        self._change = change
        self._write = write
        self._rule = rule = rules.by_id[write.rule]
        self._contest = contest
        self._scene = scene
        self._ranks = rules.ranks
        name = rule.target.name
        self._unseen = unknown(f"{name.schema}.{name.name}")
        self._origin = Provenance(change, write, contest, scene.changes.get(change.id), rules.ranks)
        self._is_captured = (name.schema, name.name) in rules.tables
        self._is_answer = is_answer(change)
        self._moved = False
        self._answer: tuple[dict[str, Any], bool] | None = None
        self.conflicts: list[Conflict] = []

    def outcome(self, answers: Answers) -> Write | Reject:
        """The write as it is to be planned, or why a person has to decide."""
        outcome = self._outcome()
        if self._is_captured and self._answer is not None:
            lost, revive = self._answer
            answers.add(self._rule, self._write, lost, revive=revive)
        return outcome

    def _outcome(self) -> Write | Reject:
        write = self._write
        if self._is_answer and write.action is not Action.UPDATE and not self._answered(self._contest.policy):
            return self._nothing()
        if write.old_key is not None:
            self._moved = self._scene.move(self._rule, write.old_key, write.key)
        present = self._scene.at(self._rule, write.key)
        if write.action is Action.DELETE:
            return self._delete(present)
        return self._insert(present) if present.row is None else self._update(present, present.row)

    def _delete(self, present: Present) -> Write | Reject:
        removal = Removal(self._write, self._contest, present, self._origin.of_record, self._ranks)
        verdict, disputed = removal.verdict(self._unseen)
        if present.row is None and present.deleted is not None and verdict.stamp != present.deleted:
            self._answer = self._write.began or {}, False
        for column, value in disputed:
            self._note(column, None, value, verdict, of_column(present.stamps, column))
        if verdict.winner is Side.NOBODY:
            return self._undecided(None)
        if not verdict.writes:
            if self._contest.policy == "newest":
                self._answer = {}, True
            if not disputed:
                self._note(None, None, None, verdict, verdict.stamp)
            return self._nothing()
        present.row, present.stamps, present.deleted, present.touched = None, {}, verdict.stamp, True
        return self._write

    def _insert(self, present: Present) -> Write | Reject:
        """Nothing is there; perhaps because it was deleted."""
        write = self._write
        if not write.revives:
            return write
        verdict = late_update(write, self._contest, present, self._origin.of_record, self._ranks)
        if verdict.winner is not None:
            self._note(None, None, None, verdict, present.deleted)
        if verdict.winner is Side.NOBODY:
            return self._undecided(None)
        if not verdict.writes:
            if self._contest.policy == "newest" and present.deleted != self._origin.of_record:
                self._answer = write.values, False
            return self._nothing()
        present.row = {**write.values, **dict(zip(self._rule.key_columns, write.key, strict=True))}
        present.stamps = {name: self._origin.of_column(name) for name in write.values}
        present.deleted, present.touched = None, True
        return write

    def _update(self, present: Present, row: dict[str, Any]) -> Write | Reject:
        write = self._write
        wanted = tuple(write.values) if write.action is Action.UPSERT else write.changed
        verdicts = [(name, self._verdict(name, present, row)) for name in wanted]
        for name, verdict in verdicts:
            if verdict.winner is not None:
                self._note(name, write.values[name], row.get(name), verdict, self._seen(present, name))
        undecided = next((name for name, verdict in verdicts if verdict.winner is Side.NOBODY), None)
        if undecided is not None:
            return self._undecided(undecided)
        written = tuple(name for name, verdict in verdicts if verdict.writes)
        self._tell(present, verdicts)
        present.row = {**row, **{name: write.values[name] for name in written}}
        present.stamps = {**present.stamps, **{name: verdict.stamp for name, verdict in verdicts}}
        present.touched = True
        return self._narrowed(written, wanted)

    def _tell(self, present: Present, verdicts: list[tuple[str, Verdict]]) -> None:
        """Answer what lost; and tell of later edits that change nothing here, since nobody else will."""
        newest = [(name, verdict) for name, verdict in verdicts if self._policy(name) == "newest"]
        lost = {name: self._write.values[name] for name, v in newest if v.winner is Side.TARGET}
        seen = {name: self._seen(present, name) for name, _ in newest}
        risen = [n for n, v in newest if v.repeats and seen[n].at and v.stamp != seen[n]]
        if risen and self._write.began is None:
            self._answer = lost, True
        elif lost or risen:
            began = self._write.began or {}
            self._answer = lost | {name: began.get(name) for name in risen}, False

    def _narrowed(self, written: tuple[str, ...], wanted: tuple[str, ...]) -> Write:
        """The write of those columns that it won."""
        write = self._write
        if written == wanted:
            return write
        if not written and write.old_key is None:
            return self._nothing()
        return msgspec.structs.replace(write, action=Action.UPDATE, changed=written)

    def _verdict(self, name: str, present: Present, row: dict[str, Any]) -> Verdict:
        if self._is_answer and not self._answered(self._policy(name)):
            return Verdict(False, self._seen(present, name))
        began = self._write.began or {}
        claim = Claim(
            self._contest.types[name],
            row.get(name),
            began.get(name, UNKNOWN),
            self._write.values[name],
            self._seen(present, name),
            self._origin.of_column(name),
        )
        return decide(self._policy(name), claim, self._ranks)

    @staticmethod
    def _answered(policy: str) -> bool:
        """Whether who won elsewhere counts here, too."""
        return policy in ("newest", "source")

    def _policy(self, name: str) -> Any:
        return self._contest.policies.get(name, self._contest.policy)

    def _seen(self, present: Present, name: str) -> Stamp:
        return of_column(present.stamps, name) or self._unseen

    def _nothing(self) -> Write:
        return msgspec.structs.replace(self._write, action=Action.NONE, values={}, changed=(), began=None)

    def _undecided(self, column: str | None) -> Reject:
        if self._moved and self._write.old_key is not None:
            self._scene.move(self._rule, self._write.key, self._write.old_key)
        return reject(self._change, self._rule, Cause.CONFLICT, _MESSAGE, column=column)

    def _note(self, column: str | None, value: Any, there: Any, verdict: Verdict, seen: Stamp | None) -> None:
        whole = column is None or self._write.action is Action.DELETE
        self.conflicts.append(
            Conflict(
                change_id=self._change.id,
                rule=self._rule,
                key=self._write.key,
                column=column,
                source_value=value,
                target_value=there,
                winner=verdict.winner or Side.TARGET,
                policy=self._contest.policy if column is None or whole else self._policy(column),
                why=verdict.why,
                edited=self._origin.of_record if column is None or whole else self._origin.of_column(column),
                seen=seen or self._unseen,
            )
        )
