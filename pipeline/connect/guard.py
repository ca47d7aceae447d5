"""What Salesforce checks before it saves a record; what fails raises Refused with Salesforce's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.connect.refusal import Refused
from pipeline.connect.values import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.connect.field import Row, Value
    from pipeline.connect.shelf import Rule, Shelf
    from pipeline.connect.sobject import SObject


def accept(sobject: SObject, values: Row, shelves: Mapping[str, Shelf]) -> dict[str, Value]:
    """What a client sent, by column and normalised; a parent named by its external id becomes its id."""
    accepted: dict[str, Value] = {}
    for name, value in values.items():
        column = name.lower()
        if column in sobject.relations:
            field = sobject.relations[column]
            accepted[field.column] = _resolve(shelves, field.parent, field.by, value)
            continue
        known = sobject.by_column.get(column)
        if known is None:
            raise Refused("INVALID_FIELD", f"No such column '{name}' on entity '{sobject.name}'")
        if column in sobject.kept or not known.is_writable:
            raise Refused("INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {known.name}")
        accepted[column] = normalise(known, value)
    return accepted


def check(shelf: Shelf, new: Row, old: Row | None, shelves: Mapping[str, Shelf]) -> None:
    """Whether a record may be saved: required fields, restricted picklists, references, validation rules."""
    required = (field for field in shelf.sobject.fields if field.required)
    missing = [field.name for field in required if new.get(field.column) is None]
    if missing:
        raise Refused("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]")
    for field in shelf.sobject.fields:
        value = new.get(field.column)
        if value is None or (old is not None and old.get(field.column) == value):
            continue
        if field.values and value not in field.values:
            raise Refused(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                f"{field.name}: bad value for restricted picklist field: {value}",
            )
        if field.is_reference and field.parent.lower() in shelves:
            _check_parent(shelves[field.parent.lower()], field.name, str(value))
    for rule in shelf.rules:
        _check_rule(rule, new, old)


def _check_parent(parents: Shelf, name: str, sfid: str) -> None:
    if sfid not in parents.records:
        raise Refused("INVALID_CROSS_REFERENCE_KEY", f"{name}: invalid cross reference id")
    if not parents.is_live(sfid):
        raise Refused("ENTITY_IS_DELETED", f"{name}: entity is deleted")


def _check_rule(rule: Rule, new: Row, old: Row | None) -> None:
    reason = rule(new, old)
    if reason is not None:
        raise Refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", reason)


def _resolve(shelves: Mapping[str, Shelf], parent: str, by: str, value: Value) -> str | None:
    if value is None:
        return None
    shelf = shelves.get(parent.lower())
    found = shelf.holder(by.lower(), value) if shelf is not None else None
    if found is None:
        raise Refused(
            "INVALID_FIELD", f"Foreign key external ID: {value} not found for field {by} in entity {parent}"
        )
    return found
