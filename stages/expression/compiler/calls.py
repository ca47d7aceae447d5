"""Function calls: from a name to what compiles it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stages.expression.compiler import conditional, numeric_functions, text_functions
from stages.expression.compiler.comparison import nullif
from stages.expression.compiler.date_functions import extraction, numbered_part, truncation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stages.expression.compiler.operand import Operand

_DATED: Final[dict[str, Callable[[str, Operand, int], Operand]]] = {
    "date_part": numbered_part,
    "date_trunc": truncation,
    "extract": extraction,
}
_OTHERS: Final[dict[str, Callable[[Sequence[Operand], int], Operand]]] = {
    "coalesce": conditional.coalesce,
    "concat": text_functions.concat,
    "concat_ws": text_functions.concat_ws,
    "greatest": conditional.greatest,
    "least": conditional.least,
    "mod": numeric_functions.mod,
    "nullif": lambda arguments, at: nullif(arguments[0], arguments[1], at),
}


def call(name: str, arguments: Sequence[Operand], at: int) -> Operand:
    """A call whose name and number of arguments were checked. Raises Refusal for their types."""
    if name in text_functions.FUNCTIONS:
        return text_functions.text_function(name, arguments, at)
    if name in numeric_functions.NAMES:
        return numeric_functions.numeric_function(name, arguments, at)
    if name in _DATED:
        part, operand = arguments
        return _DATED[name](str(part.value).lower(), operand, at)
    return _OTHERS[name](arguments, at)
