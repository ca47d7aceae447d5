"""What Salesforce answers when it does not take a record: its status code and its message."""

from __future__ import annotations


class Refused(Exception):
    """Raised when the simulated org refuses a record, changing nothing; `code` is Salesforce's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
