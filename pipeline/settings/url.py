"""URLs of servers, which hold passwords: what is printed never does."""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = "***"
# Up to the last @, so that a password with an unescaped @ or / in it is hidden whole.
_PASSWORD_IN_AUTHORITY: Final = re.compile(r"(://[^:/?#@\s]*):\S*@")
_PASSWORD_AS_PARAMETER: Final = re.compile(r"(password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^&\s]*)", re.IGNORECASE)


def masked(text: str) -> str:
    """`text` with the password of every URL or connection string in it replaced by `***`."""
    text = _PASSWORD_IN_AUTHORITY.sub(rf"\1:{_HIDDEN}@", text)
    return _PASSWORD_AS_PARAMETER.sub(rf"\1{_HIDDEN}", text)


class Url(str):
    """A server's URL: a string for drivers, whose repr (and so that of the settings) hides the password."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(masked(str(self)))
