"""The dashboards are those of the code and made for people; every query returns data of a live pipeline."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from deploy.grafana.generate import DASHBOARDS, FOLDER, document
from tests.acceptance.test_observability import connect_failing, refusing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.monitored import Monitored

UNITS: Final = {"short", "none", "s", "bytes", "percentunit", "ops", "wps", "cps"}
VARIABLES: Final = {"$__rate_interval": "20s", "$job": "orgstream", "$org": ".*", "$rule": ".*"}

every_dashboard = pytest.mark.parametrize("name", DASHBOARDS)


def panels(name: str) -> list[dict[str, Any]]:
    """The panels of a committed dashboard, without its rows."""
    found = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


@every_dashboard
def test_the_committed_dashboard_is_that_of_the_code(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == document(name), (
        "run: python -m deploy.grafana.generate"
    )


def test_there_are_no_others() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(DASHBOARDS)


@every_dashboard
def test_a_person_understands_each_panel(name: str) -> None:
    for panel in panels(name):
        assert re.fullmatch(r"[A-Z].*[^.]", panel["title"])
        assert re.fullmatch(r"[A-Za-z0-9].*\.", panel["description"]), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["legendFormat"], panel["title"]
            assert "orgstream_" not in target["legendFormat"]


@every_dashboard
def test_grafana_11_and_12_can_read_it(name: str) -> None:
    made = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    numbers = [panel["id"] for panel in made["panels"]]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) == 1
    assert made["schemaVersion"] >= 36
    assert re.fullmatch(r"[a-z-]{1,40}", made["uid"])
    for panel in panels(name):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["datasource"]["uid"] == "${datasource}"
    declared = {variable["name"] for variable in made["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(panels(name)))) - {"__rate_interval"}
    assert used <= declared


@pytest.fixture(scope="module")
def busy(monitored: Monitored) -> Iterator[Monitored]:
    """Changes flow; one record is refused and a later change of it waits; a row of Connect's log failed."""
    with refusing(monitored), connect_failing(monitored):
        yield monitored


def expressions(name: str) -> list[tuple[str, str]]:
    """The title of a panel with each of its queries, the variables replaced."""
    found = []
    for panel in panels(name):
        for target in panel["targets"]:
            expression = target["expr"]
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            found.append((panel["title"], expression))
    return found


@pytest.mark.slow
@every_dashboard
def test_every_query_returns_data(name: str, busy: Monitored) -> None:
    first = 100_000 * (1 + list(DASHBOARDS).index(name))
    for title, expression in expressions(name):
        first += 5
        busy.insert(first, first + 4)
        assert busy.prometheus.await_result(expression), title


def test_a_query_of_nothing_would_be_found(busy: Monitored) -> None:
    assert busy.prometheus.query("orgstream_nothing") == []
