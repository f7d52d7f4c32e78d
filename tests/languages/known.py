"""The package's messages, looked for once in a run: every module is read for them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from symbackprop.reports.messages import messages


@cache
def known_messages() -> Mapping[str, tuple[str, ...]]:
    """Each message and where it comes from."""
    return messages()


def messages_of_rules() -> list[str]:
    """Names and statements of rules."""
    return [message for message, places in known_messages().items() if places == ("rules",)]
