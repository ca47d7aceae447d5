"""The table of Postgres's errors: what is an outage never becomes a dead letter, and the reverse."""

from __future__ import annotations

import psycopg
import pytest

from pipeline.postgres.faults import TREATMENTS, Fault, fault_of, treatment_of
from pipeline.supervise import is_outage

# fmt: off
OUTAGES = [
    "08000", "08006", "08P01", "25006", "25P03", "25P04", "26000", "28000", "28P01", "3D000", "40001",
    "40P01", "53000", "53100", "53200", "53300", "53400", "55006", "55P03", "57014", "57P01", "57P02",
    "57P03", "57P04", "57P05", "58030", "58P01", "72000", "F0000", "HV00N", "XX000", "XX001",
]
OF_THE_RECORD = [
    "09000", "0A000", "20000", "21000", "22001", "22012", "22P02", "23502", "23503", "23505", "23514",
    "23P01", "27000", "38000", "39000", "40002", "42501", "42703", "42P01", "42P10", "44000", "54000",
    "55000", "HV000", "P0001",
]
# fmt: on
NOBODYS = ["ZZ001", "X0001", "U0042"]  # RAISE … USING ERRCODE takes any five letters and digits


def error(sqlstate: str) -> psycopg.Error:
    """An error of Postgres with this code, as the driver makes it."""
    try:
        return psycopg.errors.lookup(sqlstate)("said the server")
    except KeyError:
        made = psycopg.DatabaseError("said the server")
        made.sqlstate = sqlstate
        return made


@pytest.mark.parametrize("sqlstate", OUTAGES)
def test_an_outage_is_waited_out(sqlstate: str) -> None:
    assert fault_of(error(sqlstate)) is Fault.OUTAGE
    assert is_outage(error(sqlstate))


@pytest.mark.parametrize("sqlstate", OF_THE_RECORD + NOBODYS)
def test_a_fault_of_the_record_is_told_from_an_outage(sqlstate: str) -> None:
    assert fault_of(error(sqlstate)) is Fault.DATA
    assert not is_outage(error(sqlstate))


def test_a_broken_connection_has_no_code() -> None:
    assert fault_of(psycopg.OperationalError("server closed the connection unexpectedly")) is Fault.OUTAGE
    assert fault_of(psycopg.InterfaceError("a parameter of an unknown kind")) is Fault.BUG


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03", "57014", "53200"])
def test_what_fewer_records_may_get_through(sqlstate: str) -> None:
    assert treatment_of(error(sqlstate)).smaller
    assert not treatment_of(error("53100")).smaller


def test_the_table_names_each_code_once_and_an_outage_says_what_to_do() -> None:
    codes = [treatment.code for treatment in TREATMENTS]
    assert len(codes) == len(set(codes))
    assert all(len(code) in {2, 5} for code in codes)
    assert all("|" not in treatment.meaning + treatment.remedy for treatment in TREATMENTS)


def test_every_class_of_postgres_is_thought_of() -> None:
    """What is in none of the lines counts as the record's; that shall be a choice and not an oversight."""
    left_out = {"02", "03", "0B", "0F", "0L", "0P", "0Z", "10", "24", "2B", "2D", "34", "3B", "3F"}
    kinds = [kind for kind in vars(psycopg.errors).values() if isinstance(kind, type)]
    classes = {kind.sqlstate[:2] for kind in kinds if issubclass(kind, psycopg.Error) and kind.sqlstate}
    assert classes - left_out == {treatment.code for treatment in TREATMENTS if len(treatment.code) == 2}
