"""Panels of our dashboards: each with a title, what it means, its unit, and a legend for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
)

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import Panel

    Built = Builder[Panel]

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
_COLUMNS: Final = 24
_GRAPH: Final = 8  # high


class Query(NamedTuple):
    """One line or family of lines: `legend` may name labels, as in {{stage}}."""

    expr: str
    legend: str


def graph(
    title: str, meaning: str, unit: str, *queries: Query, stacked: bool = False, wide: int = 8
) -> Built:
    """Lines over time."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(meaning)
        .unit(unit)
        .min(0)
        .datasource(SOURCE)
        .span(wide)
        .height(_GRAPH)
        .fill_opacity(15 if stacked else 5)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    for place, query in enumerate(queries):
        panel = panel.with_target(_target(query, place))
    return panel


def figure(
    title: str, meaning: str, unit: str, query: Query, *, warn: float, bad: float, wide: int = 4
) -> Built:
    """One number of now: yellow from `warn` on, red from `bad` on; red below `warn` where `bad` is less."""
    rising = bad >= warn
    steps = (
        [
            Threshold(value=None, color="green"),
            Threshold(value=warn, color="yellow"),
            Threshold(value=bad, color="red"),
        ]
        if rising
        else [Threshold(value=None, color="red"), Threshold(value=warn, color="green")]
    )
    return (
        stat.Panel()
        .title(title)
        .description(meaning)
        .unit(unit)
        .datasource(SOURCE)
        .span(wide)
        .height(4)
        .color_mode(BigValueColorMode.BACKGROUND)
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(_target(query, 0))
    )


def _target(query: Query, place: int) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(chr(ord("A") + place))


def board(uid: str, title: str, meaning: str, *, rules: bool = False) -> Dashboard:
    """An empty dashboard with the variables that its queries use."""
    made = (
        dashboard.Dashboard(title)
        .uid(f"orgstream-{uid}")
        .description(meaning)
        .tags(["orgstream"])
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(dashboard.DashboardLink("Orgstream").as_dropdown(True).tags(["orgstream"]).include_vars(True))
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(_choice("job", "Deployment", "label_values(orgstream_up, job)"))
    )
    if rules:
        made = made.with_variable(
            _choice("org", "Target org", 'label_values(orgstream_rule_info{job=~"$job"}, target_org)')
        ).with_variable(
            _choice("rule", "Rule", 'label_values(orgstream_rule_info{job=~"$job",target_org=~"$org"}, rule)')
        )
    return made


def row(made: Dashboard, title: str, *panels: Built) -> Dashboard:
    """Add a headed row of panels."""
    made = made.with_row(dashboard.Row(title))
    for panel in panels:
        made = made.with_panel(panel)
    return made


def _choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )
