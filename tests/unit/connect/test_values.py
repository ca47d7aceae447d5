"""What Salesforce makes of values."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from pipeline.connect import Field, Refused, Value
from pipeline.connect.values import normalise

at = datetime.fromisoformat


@pytest.mark.parametrize(
    ("type_", "given", "stored"),
    [
        ("string(80)", "  Ann \t", "Ann"),
        ("string(80)", "", None),
        ("string(80)", "   ", None),
        ("longtext", " a  b ", "a  b"),
        ("number", "12345678901234567", 12345678901234600.0),
        ("number", 0.1 + 0.2, 0.3),
        ("currency(16,2)", 1.005, 1.01),
        ("currency(16,2)", "-1.005", -1.01),
        ("boolean", None, False),
        ("boolean", "t", True),
        ("boolean", "false", False),
        ("date", "2026-02-28", date(2026, 2, 28)),
        ("date", at("2026-02-28T23:59"), date(2026, 2, 28)),
        ("datetime", "2026-02-28 10:00:00.75", at("2026-02-28T10:00")),
        ("datetime", at("2026-02-28T10:00:00.000009+00:00"), at("2026-02-28T10:00")),
        ("datetime", at("2026-02-28T10:00+01:00"), at("2026-02-28T09:00")),
        ("date", None, None),
    ],
)
def test_values_are_normalised(type_: str, given: Value, stored: Value) -> None:
    assert normalise(Field("F__c", type_), given) == stored


@pytest.mark.parametrize(
    ("type_", "given", "code"),
    [
        ("string(3)", "Anna", "STRING_TOO_LONG"),
        ("number", "many", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("number", "NaN", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("number", "Infinity", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("boolean", "perhaps", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("date", "28.02.2026", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("string(80)", 3, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("datetime", 3, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
    ],
)
def test_values_of_another_kind_are_refused(type_: str, given: Value, code: str) -> None:
    with pytest.raises(Refused) as refused:
        normalise(Field("F__c", type_), given)
    assert refused.value.code == code
    assert "F__c" in refused.value.message


@pytest.mark.parametrize(
    ("type_", "column_type"),
    [
        ("string(80)", "character varying(80)"),
        ("picklist", "character varying(255)"),
        ("email", "character varying(80)"),
        ("phone", "character varying(40)"),
        ("multipicklist", "character varying(4099)"),
        ("reference(Account)", "character varying(18)"),
        ("longtext", "text"),
        ("currency(16,2)", "double precision"),
        ("percent", "double precision"),
        ("boolean", "boolean"),
        ("date", "date"),
        ("datetime", "timestamp without time zone"),
    ],
)
def test_column_types(type_: str, column_type: str) -> None:
    assert Field("F__c", type_).column_type == column_type


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("AccountId", "account__omid__c"),
        ("PatientId", "patient__omid__c"),
        ("MemberPeriodId__c", "memberperiodid__r__omid__c"),
        ("Arrival_Airport__c", "arrival_airport__r__omid__c"),
    ],
)
def test_the_column_that_names_a_parent(name: str, column: str) -> None:
    assert Field(name, "reference(Parent)", by="OMId__c").relation_column == column


@pytest.mark.parametrize("type_", ["blob", "string(", "reference", "reference()"])
def test_unknown_types_are_refused(type_: str) -> None:
    with pytest.raises(ValueError, match="F__c"):
        Field("F__c", type_)
