"""What other programs say in English, as messages that have translations.

Typer's usage errors, those of `tomllib`, and what Python and NumPy say most of a module that was edited: each
a pattern of its text, and our words for it. What is not in the table stays as it is.
"""

from __future__ import annotations

import re

from symbackprop.languages.phrases import Message, marked, verbatim, worded

# In a group named `said` stands another message of theirs.
_TEXTS: tuple[tuple[str, str], ...] = (
    (
        r"No such option: (?P<option>\S+) \(Possible options: (?P<others>.+)\)",
        marked("No such option: {option} (Possible options: {others})"),
    ),
    (r"No such option: (?P<option>\S+)", marked("No such option: {option}")),
    (r"No such command (?P<name>'.*')\.", marked("No such command {name}.")),
    (r"Missing argument (?P<name>'.*')\.", marked("Missing argument {name}.")),
    (r"Missing option (?P<name>'.*')\.", marked("Missing option {name}.")),
    (r"Option (?P<name>'.*') requires an argument\.", marked("Option {name} requires an argument.")),
    (r"Option (?P<name>'.*') does not take a value\.", marked("Option {name} does not take a value.")),
    (
        r"Got unexpected extra argument\(s\) \((?P<arguments>.*)\)",
        marked("Got unexpected extra argument(s) ({arguments})"),
    ),
    (
        r"Invalid value for (?P<name>'.*?'): (?:Value error, )?(?P<said>.*)",
        marked("Invalid value for {name}: {said}"),
    ),
    (r"(?P<value>'.*') is not one of (?P<choices>.*)\.", marked("{value} is not one of {choices}.")),
    (
        r"Input should be a valid integer, unable to parse string as an integer",
        marked("Input should be a valid integer, unable to parse string as an integer"),
    ),
    (
        r"Input should be a valid number, unable to parse string as a number",
        marked("Input should be a valid number, unable to parse string as a number"),
    ),
    (
        r"Input should be greater than or equal to (?P<bound>\S+)",
        marked("Input should be greater than or equal to {bound}"),
    ),
    (
        r"Input should be less than or equal to (?P<bound>\S+)",
        marked("Input should be less than or equal to {bound}"),
    ),
    (
        r"operands could not be broadcast together with shapes (?P<shapes>.*?) ?",
        marked("operands could not be broadcast together with shapes {shapes}"),
    ),
    (
        r"matmul: Input operand (?P<operand>\d+) has a mismatch in its core dimension (?P<axis>\d+), with "
        r"gufunc signature (?P<signature>\S+) \(size (?P<size>\d+) is different from (?P<other>\d+)\)",
        marked(
            "matmul: Input operand {operand} has a mismatch in its core dimension {axis}, with gufunc "
            "signature {signature} (size {size} is different from {other})"
        ),
    ),
    (
        r"axis (?P<axis>-?\d+) is out of bounds for array of dimension (?P<count>\d+)",
        marked("axis {axis} is out of bounds for array of dimension {count}"),
    ),
    (
        r"index (?P<index>-?\d+) is out of bounds for axis (?P<axis>\d+) with size (?P<size>\d+)",
        marked("index {index} is out of bounds for axis {axis} with size {size}"),
    ),
    (
        r"cannot reshape array of size (?P<size>\d+) into shape (?P<shape>\(.*\))",
        marked("cannot reshape array of size {size} into shape {shape}"),
    ),
    (
        r"name (?P<name>'.*') is not defined",
        marked("name {name} is not defined"),
    ),
    (
        r"No module named (?P<name>'.*')",
        marked("No module named {name}"),
    ),
    (
        r"shapes (?P<one>\(.*?\)) and (?P<other>\(.*?\)) not aligned: (?P<sizes>.*)",
        marked("shapes {one} and {other} not aligned: {sizes}"),
    ),
    (
        r"could not broadcast input array from shape (?P<one>\(.*?\)) into shape (?P<other>\(.*?\))",
        marked("could not broadcast input array from shape {one} into shape {other}"),
    ),
    (
        r"too many indices for array: array is (?P<count>\d+)-dimensional, but (?P<given>\d+) were indexed",
        marked("too many indices for array: array is {count}-dimensional, but {given} were indexed"),
    ),
    (
        r"all the input array dimensions except for the concatenation axis must match exactly, (?P<where>.*)",
        marked(
            "all the input array dimensions except for the concatenation axis must match exactly, {where}"
        ),
    ),
    (
        r"zero-size array to reduction operation (?P<name>\w+) which has no identity",
        marked("zero-size array to reduction operation {name} which has no identity"),
    ),
    (
        r"axes don't match array",
        marked("axes don't match array"),
    ),
    (
        r"Singular matrix",
        marked("Singular matrix"),
    ),
    (
        r"not enough values to unpack \(expected (?P<count>.*), got (?P<got>\d+)\)",
        marked("not enough values to unpack (expected {count}, got {got})"),
    ),
    (
        r"too many values to unpack \(expected (?P<count>\d+)\)",
        marked("too many values to unpack (expected {count})"),
    ),
    (
        r"unsupported operand type\(s\) for (?P<sign>\S+): (?P<types>.*)",
        marked("unsupported operand type(s) for {sign}: {types}"),
    ),
    (
        r"(?P<owner>.*) has no attribute (?P<name>'.*')",
        marked("{owner} has no attribute {name}"),
    ),
    (
        r"(?P<function>\S+\(\)) missing (?P<count>\d+) required positional arguments?: (?P<names>.*)",
        marked("{function} missing {count} required positional arguments: {names}"),
    ),
    (
        r"(?P<function>\S+\(\)) got an unexpected keyword argument (?P<name>'.*')",
        marked("{function} got an unexpected keyword argument {name}"),
    ),
    (
        r"cannot access local variable (?P<name>'.*') where it is not associated with a value",
        marked("cannot access local variable {name} where it is not associated with a value"),
    ),
    (r"invalid value", marked("invalid value")),
    (r"invalid statement", marked("invalid statement")),
    (
        r"expected newline or end of document after a statement",
        marked("expected newline or end of document after a statement"),
    ),
    (
        r"expected '=' after a key in a key/value pair",
        marked("expected '=' after a key in a key/value pair"),
    ),
    (
        r"expected (?P<bracket>'\]+') at the end of (?:a table|an array) declaration",
        marked("expected {bracket} at the end of the declaration of a table"),
    ),
    (r"expected (?P<expected>['\"].*['\"])", marked("expected {expected}")),
    (r"found invalid character (?P<character>'.*')", marked("found invalid character {character}")),
    (r"illegal character (?P<character>'.*')", marked("illegal character {character}")),
    (r"cannot declare (?P<key>.*) twice", marked("cannot declare {key} twice")),
    (r"cannot overwrite a value", marked("cannot overwrite a value")),
    (r"duplicate inline table key (?P<key>.*)", marked("duplicate inline table key {key}")),
    (r"invalid initial character for a key part", marked("invalid initial character for a key part")),
    (r"unclosed array", marked("unclosed array")),
    (r"unclosed inline table", marked("unclosed inline table")),
    (r"unterminated string", marked("unterminated string")),
    (r"unescaped '\\' in a string", marked("unescaped '\\' in a string")),
    (r"invalid hex value", marked("invalid hex value")),
    (r"invalid date or datetime", marked("invalid date or datetime")),
)


def fault_of_toml(error: Exception) -> tuple[Message, int, int]:
    """What `tomllib` found wrong, and the line and column, both from 1."""
    cause = str(error).partition(" (at ")[0]
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    line, column = (int(found[1]), int(found[2])) if found else (1, 1)
    return in_our_words(cause[:1].lower() + cause[1:]), line, column


def in_our_words(said: str) -> Message:
    """One of their texts as a message; verbatim where the table does not have it."""
    for pattern, template in _TEXTS:
        found = re.fullmatch(pattern, said, re.DOTALL)
        if found:
            parts = found.groupdict()
            return worded(
                template,
                **{name: in_our_words(each) if name == "said" else each for name, each in parts.items()},
            )
    return verbatim(said)
