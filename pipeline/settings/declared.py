"""What is declared of a setting: its name, type, unit, bounds, meaning and environment variables."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from pipeline.settings.units import parse_bytes, parse_seconds, show_bytes, show_seconds
from pipeline.settings.url import masked

PREFIX: Final = "ORGSTREAM_"


def about(
    meaning: str,
    unit: str = "",
    *,
    least: float | None = None,
    most: float | None = None,
    variables: tuple[str, ...] = (),
    schemes: tuple[str, ...] = (),
) -> msgspec.Meta:
    """The declaration of a setting, for typing.Annotated.

    `variables` are its environment variables, the preferred one first, where they are not the usual
    ORGSTREAM_<NAME>. `schemes` are those that a URL may have.
    """
    extra = {"unit": unit, "variables": variables, "schemes": schemes}
    return msgspec.Meta(description=meaning, ge=least, le=most, extra=extra)


class Setting(msgspec.Struct, frozen=True):
    """One setting, as declared. `default` is a value, `unit` is empty for what is not counted."""

    name: str
    kind: type
    unit: str
    meaning: str
    default: Any
    variables: tuple[str, ...]
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """Its command line flag."""
        return "--" + self.name.replace("_", "-")

    def parse(self, text: str) -> Any:
        """The value that `text` stands for. Raises ValueError with what is wrong with it."""
        value = self._converted(text.strip())
        if self.least is not None and value < self.least:
            raise ValueError("too small")
        if self.most is not None and value > self.most:
            raise ValueError("too large")
        return value

    def _converted(self, text: str) -> Any:
        if self.unit == "seconds":
            return parse_seconds(text)
        if self.unit == "bytes":
            return parse_bytes(text)
        if self.kind is int:
            return _whole_number(text)
        if self.choices and text not in self.choices:
            raise ValueError("not one of the choices")
        if self.schemes and text.partition("://")[0] not in self.schemes:
            raise ValueError("not such a URL")
        return self.kind(text)

    def show(self, value: Any) -> str:
        """`value` for people, without passwords; empty where it is not set."""
        if value is None:
            return ""
        if self.unit == "seconds":
            return show_seconds(value)
        if self.unit == "bytes":
            return show_bytes(value)
        return masked(str(value))

    def expected(self) -> str:
        """What a value has to be, as the end of a sentence that begins with "Set it to"."""
        if self.choices:
            return " or ".join(self.choices)
        if self.schemes:
            return f"a URL that begins with {' or '.join(f'{scheme}://' for scheme in self.schemes)}"
        example = {"seconds": "a duration such as 45s or 7d", "bytes": "a size such as 64MiB or 1GiB"}
        bounds = self.bounds()
        kind = example.get(self.unit, "a whole number" if self.kind is int else "a text")
        return f"{kind}{' ' if self.most else ', '}{bounds}" if bounds else kind

    def bounds(self) -> str:
        """From where to where its values go; empty where they go anywhere from zero up."""
        if self.most is not None:
            return f"from {self.show(self.least or 0)} to {self.show(self.most)}"
        return f"at least {self.show(self.least)}" if self.least else ""


def declared_by(struct: type[msgspec.Struct]) -> tuple[Setting, ...]:
    """The settings that the fields of `struct` declare, in their order."""
    hints = get_type_hints(struct, include_extras=True)
    return tuple(_setting(field, hints[field.name]) for field in msgspec.structs.fields(struct))


def _setting(field: msgspec.structs.FieldInfo, hint: Any) -> Setting:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"the setting {field.name} has no about(...)")
    kind, meta = get_args(hint)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    if not choices and get_args(kind):  # X | None
        kind = next(part for part in get_args(kind) if part is not type(None))
    return Setting(
        name=field.name,
        kind=str if choices else kind,
        unit=meta.extra["unit"],
        meaning=meta.description,
        default=field.default,
        variables=meta.extra["variables"] or (PREFIX + field.name.upper(),),
        least=meta.ge,
        most=meta.le,
        choices=choices,
        schemes=meta.extra["schemes"],
    )


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("not a whole number") from None
