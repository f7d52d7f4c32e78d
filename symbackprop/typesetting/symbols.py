r"""The symbols of one model's tensors: `Wf` as W^{(f)}, `delta_u_f` as \delta^{(u_f)}, `dO` as dO.

What a name means is read beside the other names of its model. Different names have different symbols: where
two readings agree, the later name is set as it is typed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from symbackprop.derivation.result import Derivation
from symbackprop.errors import NotationError
from symbackprop.languages.phrases import worded
from symbackprop.systems.system import System
from symbackprop.typesetting.names import GREEK, NameLatex, is_single_letter, symbol, tensor_name, upright

_LABELLED = re.compile(r"(?P<stem>[A-Z])(?P<label>[a-z]{1,3}[0-9]*)")
_SMALL_LABELLED = re.compile(r"(?P<stem>[a-z])(?P<label>[a-z]{1,3}[0-9]*)")
_ADJOINT = re.compile(r"(?P<kind>delta|grad)_(?P<tensor>\w+)")
_ADJOINT_LETTERS = {"delta": r"\delta", "grad": r"\nabla"}
_SHORT_FOR = {"eps": "epsilon"}
_SCRIPT_WIDTH = 0.42


def symbols_of(names: Collection[str], given: Mapping[str, str]) -> dict[str, NameLatex]:
    """Each name's symbol; `given` are those that the model states itself."""
    labels = {match["label"] for name in names if (match := _LABELLED.fullmatch(name))}
    found: dict[str, NameLatex] = {}
    for name in names:
        if name in given:
            found[name] = given_symbol(given[name])
    taken = {_written(each) for each in found.values()}
    for name in names:
        if name in found:
            continue
        reading = _reading(name, names, labels, given)
        if _written(reading) in taken:
            reading = NameLatex(upright(name), "", 0.55 * len(name))
        taken.add(_written(reading))
        found[name] = reading
    return found


def stated_symbols(system: System) -> dict[str, str]:
    """Tensor to its LaTeX, where the model gives it."""
    return {name: tensor.symbol for name, tensor in system.tensors.items() if tensor.symbol}


def symbols_in(derivation: Derivation) -> dict[str, NameLatex]:
    """The symbols of a derivation's tensors, adjoints included, each read beside the others."""
    system = derivation.system
    kept = [each.equation.tensor for each in derivation.adjoints if each.kept]
    return symbols_of(tuple(dict.fromkeys((*system.tensors, *kept))), stated_symbols(system))


def given_symbol(latex: str) -> NameLatex:
    """A symbol as the user states it; its own scripts must not meet those of its indices."""
    match = re.fullmatch(r"(?P<base>.+?)\^(?P<above>\{.*\}|.)", latex)
    base, above = (match["base"], match["above"]) if match else (latex, "")
    above = above[1:-1] if above.startswith("{") else above
    return NameLatex(f"{{{base}}}" if "_" in base else base, above, _width_of(latex))


def expect_symbol(name: str, latex: str) -> None:
    """NotationError where the LaTeX is no symbol that can stand in a formula."""
    plain = re.sub(r"\\[A-Za-z]+|\\[,;! ]", "", latex)
    depth = lowest = 0
    for character in plain:
        depth += (character == "{") - (character == "}")
        lowest = min(lowest, depth)
    if depth or lowest or not plain.strip("{} ") + latex.strip() or re.search(r"[\\$%#&~\s]", plain):
        raise NotationError(
            worded("'{latex}' is no symbol for '{name}' in LaTeX", latex=latex[:40], name=name),
            remedy=worded("write letters, commands, ^ and _ with balanced braces: W1=\\mathbf{W}^{(1)}"),
        )


def _written(name: NameLatex) -> str:
    """What the eye sees: an upright letter and a slanted one are too much alike to be told apart."""
    return re.sub(r"\\mathrm\b|[{}]", "", name.base + f"^{name.superscript}" * bool(name.superscript))


def _reading(
    name: str, names: Collection[str], labels: Collection[str], given: Mapping[str, str]
) -> NameLatex:
    adjoint = _ADJOINT.fullmatch(name)
    if adjoint and adjoint["tensor"] in names:
        of = given.get(adjoint["tensor"]) or _as_label(_reading(adjoint["tensor"], names, labels, given))
        width = _SCRIPT_WIDTH * (1 + _width_of(of) / 0.6)
        return NameLatex(_ADJOINT_LETTERS[adjoint["kind"]], f"({of})", 0.6 + width)
    if name in GREEK or is_single_letter(name):
        return tensor_name(name)
    if name in _SHORT_FOR:
        return tensor_name(_SHORT_FOR[name])
    if len(name) > 1 and name[0] == "d" and name[1:] in names:
        of_name = _reading(name[1:], names, labels, given)
        return NameLatex(rf"\mathrm{{d}}{of_name.base}", of_name.superscript, 0.6 + of_name.width)
    match = _LABELLED.fullmatch(name) or _SMALL_LABELLED.fullmatch(name)
    # bf beside Wf is a bias of the gate f; a word such as lr has no label that a matrix has.
    if match and match["label"] in labels and tensor_name(name).base.startswith(r"\mathrm"):
        label = match["label"] if len(match["label"]) == 1 else rf"\mathrm{{{match['label']}}}"
        return NameLatex(symbol(match["stem"]), f"({label})", 0.6 + _SCRIPT_WIDTH * (1 + len(match["label"])))
    return tensor_name(name)


def _as_label(name: NameLatex) -> str:
    """A symbol within a superscript, its own superscript as a subscript: u_f."""
    inside = name.superscript.removeprefix("(").removesuffix(")")
    return name.base + (f"_{{{inside}}}" if inside else "")


def _width_of(latex: str) -> float:
    """The width of a symbol, by the characters that are seen."""
    return 0.6 * len(re.sub(r"\\[A-Za-z]+|[{}^_]", "x", latex).replace("xx", "x"))
