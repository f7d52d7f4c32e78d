"""`symbackprop plot`: pictures of a model, as SVG, PNG or PDF."""

from __future__ import annotations

import enum
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from zipfile import BadZipFile

import typer

from symbackprop.cli.application import Task
from symbackprop.cli.completion import tensor_names
from symbackprop.cli.console import (
    Lang,
    Sizes,
    WithRespectTo,
    language_for,
    names_in,
    print_result,
    say,
    sizes_in,
)
from symbackprop.cli.console import Model as ModelFile
from symbackprop.cli.faults import on_model
from symbackprop.errors import EmissionError, NotationError, VerificationError
from symbackprop.languages.phrases import worded
from symbackprop.pipeline import Model, load

# matplotlib is an extra: nobody needs it who asks for no picture.
_PICTURES = "symbackprop.reports.pictures"


Of: TypeAlias = Annotated[
    str,
    typer.Option(
        "--of",
        metavar="TENSOR",
        help="What the Jacobian is of; default: the output.",
        autocompletion=tensor_names,
    ),
]
Data: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="FILE.npz",
        help="Arrays of tensors to descend on, by name; what it leaves out is random.",
    ),
]


class Kind(enum.Enum):
    """What a picture shows."""

    NETWORK = "network"
    STEPS = "steps"
    LOSSES = "losses"
    JACOBIAN = "jacobian"
    COSTS = "costs"


@dataclass(frozen=True)
class _Asked:
    """What the command line says beside the model and the kind."""

    wrt: Sequence[str] | None
    of: str
    rates: tuple[float, ...]
    steps: int
    seed: int
    data: Mapping[str, Any]
    lang: str


_DRAWN: Mapping[Kind, Callable[[Any, Model, _Asked], Any]] = {
    Kind.NETWORK: lambda room, model, asked: room.plot_network(model, asked.wrt, asked.lang),
    Kind.STEPS: lambda room, model, asked: room.plot_steps(model, asked.wrt, asked.seed, asked.lang),
    Kind.LOSSES: lambda room, model, asked: room.plot_losses(
        model, asked.wrt, asked.rates or room.RATES, asked.steps, asked.seed, asked.data, asked.lang
    ),
    Kind.JACOBIAN: lambda room, model, asked: room.plot_jacobian(
        model, asked.of, asked.wrt, asked.seed, asked.lang
    ),
    Kind.COSTS: lambda room, model, asked: room.plot_costs(model, asked.wrt, asked.lang),
}


def command(
    kind: Annotated[
        Kind,
        typer.Argument(
            help="The network with its deltas; errors of numerical differentiation against their steps; "
            "losses of gradient descent; where a Jacobian is not 0; costs against width."
        ),
    ],
    model: ModelFile,
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="FILE", help="A .svg, .png or .pdf file; - is standard output, as SVG."
        ),
    ] = "-",
    wrt: WithRespectTo = None,
    size: Sizes = None,
    of: Of = "",
    rate: Annotated[
        list[str] | None,
        typer.Option("--rate", metavar="0.1,...", help="Rates of descent; default: 0.01, 0.03, 0.1."),
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, max=100_000, help="Steps of descent.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The random data's seed.")] = 0,
    data: Data = None,
    lang: Lang = None,
) -> Task:
    """Draw a picture of a model: its network, its numerical derivatives, its descent, a Jacobian, its costs.

    For example:

      symbackprop plot steps examples/seed.model -o steps.svg
      symbackprop plot jacobian examples/seed.model --of z1 -o jacobian.png
    """
    spoken = language_for(lang)
    asked = _Asked(names_in(wrt), of.strip(), _rates_in(rate), steps, seed, _arrays_in(data), spoken)
    return partial(_plot, kind, model, sizes_in(size), asked, output)


def _rates_in(texts: Sequence[str] | None) -> tuple[float, ...]:
    """`--rate 0.1,0.3` as numbers, none where nothing is asked; NotationError for anything else."""
    try:
        found = tuple(float(each) for each in names_in(texts) or ())
    except ValueError as error:
        raise NotationError(
            worded("'{texts}' is no rate", texts=",".join(texts or ())[:40]),
            remedy=worded("write --rate 0.1"),
        ) from error
    return found


def _arrays_in(path: str | None) -> Mapping[str, Any]:
    """The arrays of an .npz file by name, none where no file is asked for; VerificationError for another."""
    if path is None:
        return {}
    numpy = importlib.import_module("numpy")
    try:
        with numpy.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, AttributeError, BadZipFile) as error:
        raise VerificationError(
            worded("'{path}' is no file of arrays that can be read", path=path),
            remedy=worded("write one with numpy.savez: {call}", call="numpy.savez('data.npz', x=x, d=d)"),
        ) from error


def _plot(kind: Kind, path: str, sizes: Mapping[str, int], asked: _Asked, output: str) -> int:
    pictures = _pictures()
    if output != "-":
        pictures.format_of(Path(output))  # said before a minute's work, not after
    picture = on_model(load(path, sizes), lambda model: _DRAWN[kind](pictures, model, asked), asked.lang)
    if pictures.shown_in(asked.lang).value != asked.lang:
        say(
            worded(
                "note: {said}",
                said=worded("no font with these letters is installed: the picture is in English"),
            ),
            asked.lang,
        )
    if output == "-":
        print_result(picture.bytes_as("svg").decode())
    else:
        picture.save(output)
        say(worded("wrote {path}", path=output), asked.lang)
    return 0


def _pictures() -> Any:
    """The room that draws; EmissionError where matplotlib is not installed."""
    try:
        return importlib.import_module(_PICTURES)
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("matplotlib"):
            raise
        raise EmissionError(
            worded("pictures are drawn by matplotlib, which is not installed"),
            remedy=worded("install it: pip install 'symbackprop[plot]'"),
        ) from error
