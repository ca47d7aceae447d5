"""Compiling a rule set: rules as data become closures, one table's rules together, once per version."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from stages.change import Operation
from stages.expression import (
    Expression,
    SqlType,
    assign_literal,
    assignment,
    compile_condition,
    compile_expression,
    sql_type,
    unchanged,
)
from stages.need import Need, links_needed, needs_of
from stages.rules.closures import (
    Columns,
    Evaluate,
    constant,
    converted,
    field,
    finite,
    sendable,
    through_values,
)
from stages.rules.contest import Contest, contests, read_for, standings
from stages.rules.decoding import row_decoder, row_fields
from stages.rules.linked import linked_rules
from stages.rules.looking import Lookup
from stages.rules.model import Mapping as MappedColumn
from stages.rules.model import Rule, RuleSet, SetColumns, Table, TableName
from stages.rules.places import places_of
from stages.rules.referring import ForeignKey, Referring
from stages.stamp import Ranks


class CompiledRule(msgspec.Struct, frozen=True):
    """A rule ready to run. The tuples pair a target column with the function of its value."""

    rule: Rule
    source: Table
    target: Table
    reads: frozenset[str]  # the source columns that its expressions read
    key_columns: tuple[str, ...]  # the target columns that recognise the record
    condition: Evaluate | None
    key: tuple[Evaluate, ...]
    columns: Columns
    set_on_delete: tuple[tuple[str, Evaluate], ...]
    set_on_unmatched: tuple[tuple[str, Evaluate], ...]
    place: int = 0  # of the target among those of Heroku Connect, as the rules name them; 0: it is none
    lookups: tuple[Lookup, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    contest: Contest | None = None  # where the target may have edits of its own
    lasting: tuple[str, ...] = ()  # source columns that name a record whatever its key; empty: not linked


class TableRules(msgspec.Struct, frozen=True):
    """The enabled rules of one source table, and the decoder of its rows."""

    rules: tuple[CompiledRule, ...]
    operations: frozenset[Operation]
    decoder: msgspec.json.Decoder[Any]
    fields: dict[str, Any]  # the columns that the decoder reads, with their types in Python
    #: The columns that rules read, with their types, where what rules write comes back from Salesforce.
    echoes: dict[str, SqlType] | None = None


class CompiledRules(msgspec.Struct, frozen=True):
    """A rule set ready to run."""

    version: int
    tables: dict[tuple[str, str], TableRules]  # by schema and name, as a change names its table
    by_id: dict[int, CompiledRule]
    org_of: dict[str, str]  # schema -> org
    echoes: bool = False  # whether what rules write to any table comes back from Salesforce
    gathers: bool = False  # some of them write for Heroku Connect, which is quicker in bulk
    needs: frozenset[Need] = frozenset()  # what the target database is asked before a batch is planned
    ranks: Ranks = Ranks({})  # which of two edits is the later


def compile_rules(rule_set: RuleSet) -> CompiledRules:
    """Compile every enabled rule. Raises ExpressionError for what `validate` would have refused."""
    tables = {table.name: table for table in rule_set.tables}
    targets = {rule.target for rule in rule_set.rules if rule.enabled}
    referring = Referring(rule_set.rules, tables)
    grouped: dict[TableName, list[CompiledRule]] = {}
    needed: dict[TableName, dict[str, bool]] = {}
    places = places_of(rule_set, tables)
    contested = contests(rule_set)
    linked = linked_rules(rule_set)
    for rule in rule_set.rules:
        if rule.enabled:
            needs = needed.setdefault(rule.source, {})
            compiler = _Compiler(tables[rule.source], tables[rule.target], needs, referring)
            compiled = compiler.compile(rule, contested.get(rule.id), places.get(rule.target, 0))
            if rule.id in linked:
                compiled = msgspec.structs.replace(compiled, lasting=linked[rule.id])
            grouped.setdefault(rule.source, []).append(compiled)
    # What we write to them, Heroku Connect carries to Salesforce, from where it comes back.
    echoing = {name for name in grouped if name in targets and tables[name].connector == "heroku-connect"}
    return CompiledRules(
        version=rule_set.version,
        tables={
            (name.schema, name.name): _table_rules(tables[name], rules, needed[name], echoes=name in echoing)
            for name, rules in grouped.items()
        },
        by_id={compiled.rule.id: compiled for rules in grouped.values() for compiled in rules},
        org_of={schema: org for org, schema in rule_set.orgs.items()},
        echoes=bool(echoing),
        gathers=bool(places),
        needs=needs_of([rule for rule in rule_set.rules if rule.enabled]) | links_needed(linked),
        ranks=Ranks(standings(rule_set)),
    )


def _table_rules(
    table: Table, rules: list[CompiledRule], needed: dict[str, bool], *, echoes: bool
) -> TableRules:
    read = dict.fromkeys((name for rule in rules for name in rule.lasting), False) | needed
    return TableRules(
        rules=tuple(rules),
        operations=frozenset(operation for compiled in rules for operation in compiled.rule.on),
        decoder=row_decoder(table, read | read_for(rule.contest for rule in rules)),
        fields=row_fields(table, read),
        echoes={c.name: sql_type(c.type) for c in table.columns if c.name in needed} if echoes else None,
    )


class _Compiler:
    """Compiles the rules of one source and target; notes which source columns must be decoded, and how."""

    def __init__(self, source: Table, target: Table, needed: dict[str, bool], referring: Referring) -> None:
        self._types = {column.name: sql_type(column.type) for column in source.columns}
        self._source = source
        self._target = target
        self._target_types = {column.name: column.type for column in target.columns}
        self._referring = referring
        self._reads: set[str] = set()
        self._needed = needed  # column -> whether an expression needs its typed value

    def compile(self, rule: Rule, contest: Contest | None, place: int) -> CompiledRule:
        self._reads = set()
        return CompiledRule(
            rule=rule,
            source=self._source,
            target=self._target,
            key_columns=tuple(rule.key),
            condition=self._condition(rule.when),
            key=tuple(self._column(name, text, typed=True) for name, text in rule.key.items()),
            columns=self._columns(rule),
            set_on_delete=self._set(rule.on_delete),
            set_on_unmatched=self._set(rule.on_unmatched),
            contest=contest,
            place=place,
            lookups=tuple(self._lookup(rule, *one) for one in rule.map.items() if one[1].lookup is not None),
            foreign_keys=self._referring.foreign_keys(rule),
            reads=frozenset(self._reads),  # once all of it is compiled
        )

    def _lookup(self, rule: Rule, name: str, mapping: MappedColumn) -> Lookup:
        table = self._referring.named[cast(str, mapping.lookup)]
        types = {column.name: column.type for column in table.columns}
        where, missing = mapping.where or {}, mapping.missing or "wait"
        return Lookup(
            column=name,
            table=table,
            where=tuple(where),
            key=tuple(self._into(text, types[column], typed=True) for column, text in where.items()),
            take=cast(str, mapping.take),
            missing=missing,
            default=None if mapping.default is None else self._column(name, mapping.default),
            circular=missing == "wait" and self._referring.is_circular(rule, table, [name]),
        )

    def _condition(self, when: str | None) -> Evaluate | None:
        if when is None:
            return None
        expression = compile_condition(when, self._types)
        self._need(expression, typed=True)
        return cast(Evaluate, expression.evaluate)

    def _set(self, policy: object) -> tuple[tuple[str, Evaluate], ...]:
        if not isinstance(policy, SetColumns):
            return ()
        return tuple((name, self._column(name, text)) for name, text in policy.columns.items())

    def _columns(self, rule: Rule) -> Columns:
        copied: dict[str, str] = {}
        computed: list[tuple[str, Evaluate]] = []
        for name, mapping in rule.map.items():
            if mapping.lookup is not None:
                continue
            source = self._copied(name, mapping)
            if source is None:
                computed.append((name, self._mapping(name, mapping)))
            else:
                copied[name] = source
        return Columns(copied, tuple(computed))

    def _copied(self, name: str, mapping: MappedColumn) -> str | None:
        """The source column that fills this one as it is, where there is one."""
        if mapping.values is not None or mapping.expr is None:
            return None
        expression = compile_expression(mapping.expr, self._types)
        if (
            expression.column is None
            or assignment(expression.type, self._target_types[name]) is not unchanged
        ):
            return None
        self._need(expression, typed=False)
        return str(expression.column)

    def _mapping(self, name: str, mapping: MappedColumn) -> Evaluate:
        if mapping.values is None:
            return self._column(name, cast(str, mapping.expr))
        expression = compile_expression(cast(str, mapping.expr), self._types)
        self._need(expression, typed=True)
        default = None if mapping.default is None else self._column(name, mapping.default)
        return through_values(name, cast(Evaluate, expression.evaluate), mapping.values, default)

    def _column(self, name: str, text: str, *, typed: bool = False) -> Evaluate:
        return self._into(text, self._target_types[name], typed=typed)

    def _into(self, text: str, target_type: str, *, typed: bool = False) -> Evaluate:
        expression = compile_expression(text, self._types)
        if expression.literal is not None:
            return constant(sendable(assign_literal(expression.literal, target_type)))
        convert = assignment(expression.type, target_type)
        passes = expression.column is not None and convert is unchanged and not typed
        self._need(expression, typed=not passes)
        if passes:
            return field(cast(str, expression.column))
        evaluate = cast(Evaluate, expression.evaluate)
        if convert is not None and convert is not unchanged:
            evaluate = converted(evaluate, convert)
        return finite(evaluate) if expression.type in (SqlType.DOUBLE, SqlType.NUMERIC) else evaluate

    def _need(self, expression: Expression, *, typed: bool) -> None:
        for column in expression.columns:
            self._reads.add(column)
            self._needed[column] = typed or self._needed.get(column, False)
