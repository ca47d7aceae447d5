"""A record as a client of the org sees it: with what the org keeps and computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.connect.field import Field, Value
    from pipeline.connect.shelf import Record, Shelf

#: What a client without the right to see encrypted fields gets.
MASK: Final = "*****"


def visible(shelf: Shelf, record: Record, shelves: Mapping[str, Shelf]) -> dict[str, Value]:
    """The row: every field by column, parents also by their external id, and the id as `sfid`."""
    row: dict[str, Value] = {field.column: record.values.get(field.column) for field in shelf.sobject.fields}
    row |= _kept(record, shelf)
    row["sfid"] = record.sfid
    for column, field in shelf.sobject.relations.items():
        row[column] = _named(field, record.values.get(field.column), shelves)
    for field in shelf.sobject.fields:
        if field.formula is not None:
            row[field.column] = field.formula(row)
        elif field.kind == "encrypted" and row[field.column] is not None:
            row[field.column] = MASK
    return row


def _kept(record: Record, shelf: Shelf) -> dict[str, Value]:
    kept: dict[str, Value] = {
        "createddate": record.created,
        "systemmodstamp": record.stamp,
        "lastmodifieddate": record.stamp,
        "isdeleted": record.deleted,
        "createdbyid": record.created_by,
        "lastmodifiedbyid": record.modified_by,
    }
    return {column: value for column, value in kept.items() if column in shelf.sobject.by_column}


def _named(field: Field, sfid: Value, shelves: Mapping[str, Shelf]) -> Value:
    parents = shelves.get(field.parent.lower())
    if parents is None or not isinstance(sfid, str) or not parents.is_live(sfid):
        return None
    return parents.records[sfid].values.get(field.by.lower())
