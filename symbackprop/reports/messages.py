"""Every message that a catalogue translates: those that the source marks, and those of the records: rules
and options of layers.

`python -m symbackprop.reports.messages` writes them as a template (.pot) for Babel or GNU gettext.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from symbackprop.derivation.known_rules import REGISTRY
from symbackprop.languages.extraction import messages_below
from symbackprop.layers.catalogue import LAYERS, LOSSES
from symbackprop.layers.tables import TABLES
from symbackprop.lesson.rulebook.rule_phases import phases
from symbackprop.rewriting.registry import Family
from symbackprop.typesetting.statement_tokens import WORD, is_word, tokens_of

_HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\nContent-Transfer-Encoding: 8bit\\n"\n'


def messages() -> Mapping[str, tuple[str, ...]]:
    """Each message and where it comes from: lines of the source, or the rules."""
    found = dict(messages_below(Path(__file__).parent.parent))
    for message in _of_rules():
        found.setdefault(message, ("rules",))
    for message in _of_layers():
        found.setdefault(message, ("layers",))
    return found


def _of_rules() -> Iterator[str]:
    """The names of rules and of other reasons, and those of their statements that have words in them."""
    examples = {rule.name: rule for phase in phases() for rule in phase.rules}
    for name, entry in REGISTRY.entries.items():
        yield name
        record = examples.get(name) if isinstance(entry, Family) else entry
        statement = getattr(record, "statement", "")
        if isinstance(statement, str) and has_words(statement):
            yield statement


def _of_layers() -> Iterator[str]:
    """What the options of layers and the keys of a TOML file are, as their errors say it."""
    for formula in (*LAYERS.values(), *LOSSES.values()):
        yield from (option.description for option in formula.options)
    for table in TABLES.values():
        yield from (field.description or "" for field in table.model_fields.values())


def has_words(statement: str) -> bool:
    """Whether a rule's statement is more than a formula."""
    tokens = tokens_of(statement)
    return any(WORD.search(token.text) and is_word(tokens, place) for place, token in enumerate(tokens))


def template(found: Mapping[str, tuple[str, ...]]) -> str:
    """Messages as a template: a .po file without translations.

    In the order of the places, and of their letters in each: lines that move within a module change nothing.
    """
    entries = [
        f'#: {" ".join(places)}\nmsgid {json.dumps(message)}\nmsgstr ""\n'
        for message, places in sorted(found.items(), key=lambda item: (item[1][0], item[0]))
    ]
    return "\n".join((_HEAD, *entries))


if __name__ == "__main__":
    sys.stdout.write(template(messages()))
