"""A record that was deleted and came back: what the two rows, taken together, mean to a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.expression import EvaluationError
from stages.named import named
from stages.rules.closures import UnmappedValue
from stages.transform import NoKey, update_of, upsert_of

if TYPE_CHECKING:
    from stages.rules.compile import CompiledRules
    from stages.write import Write


def returned(rules: CompiledRules, rule: int, before: bytes, after: bytes) -> Write | None:
    """What an update from the row that was deleted to the one that came back writes; None where nothing.

    The rows are JSON. Where the old one cannot be read or mapped any more, the new one is written whole.
    """
    compiled = rules.by_id[rule]
    decode = rules.tables[compiled.rule.source.schema, compiled.rule.source.name].decoder.decode
    new = decode(after)
    try:
        write = update_of(compiled, decode(before), new)
    except (msgspec.DecodeError, EvaluationError, UnmappedValue, NoKey):
        key = tuple([evaluate(new) for evaluate in compiled.key])
        write = upsert_of(compiled, key, new)
    return write if write is None or not compiled.lasting else named(write, compiled, new)
