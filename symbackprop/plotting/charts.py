"""Numbers as charts: errors against steps, losses against steps of descent, costs against width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter, NullLocator

from symbackprop.languages.language import Language
from symbackprop.languages.phrases import phrase, text_in, translated
from symbackprop.plotting.canvas import COLOURS, DASHES, GRID, INK, MARKERS, Picture, look, new_chart
from symbackprop.plotting.cost_curves import CostCurves
from symbackprop.plotting.descents import Descent
from symbackprop.plotting.step_errors import StepErrors

LEAST_ERROR = 1e-17  # what is exact has a place on the axis too
BEST_CENTRAL = float(np.finfo(float).eps) ** (1 / 3)


def step_chart(errors: StepErrors, name: str, language: Language) -> Picture:
    """Error against step, both in powers of ten: a V for differences, a floor for the complex step."""
    title = phrase("{model}: error of numerical differentiation against its step", model=name)
    error = phrase("relative error of the derivative")
    figure, axes = new_chart(title, phrase("step h"), error, language)
    curves = {
        phrase("forward difference, {formula}", formula="(E(w+h) - E(w))/h"): errors.forward,
        phrase("central difference, {formula}", formula="(E(w+h) - E(w-h))/2h"): errors.central,
        phrase("complex step, {formula}", formula="Im E(w+ih)/h"): errors.complex_step,
    }
    axes.set_xscale("log")
    axes.set_yscale("log")
    for place, (label, curve) in enumerate(curves.items()):
        _line(
            axes,
            errors.steps,
            [max(each, LEAST_ERROR) for each in curve],
            place,
            text_in(label, language),
            every=2,
        )
    axes.axvline(BEST_CENTRAL, color=INK, linewidth=1.0, linestyle=":")
    axes.text(BEST_CENTRAL * 0.75, 3.0, "eps^(1/3)", color=INK, fontsize=10)
    axes.invert_xaxis()  # the step shrinks to the right, as it does when one tries
    axes.set_ylim(LEAST_ERROR / 2, 30.0)
    axes.set_yticks([10.0**power for power in range(-16, 1, 4)])
    _legend_below(axes, language)
    return Picture(figure)


def descent_chart(
    descents: Sequence[Descent], name: str, language: Language, is_given: bool = False
) -> Picture:
    """Loss against step, in powers where it stays above 0; a cross where it was finite no more.

    `is_given` says that some of the data are not random.
    """
    title = phrase("{model}: gradient descent on random data", model=name)
    if is_given:
        title = phrase("{model}: gradient descent on given data", model=name)
    figure, axes = new_chart(title, phrase("step"), phrase("loss"), language)
    losses = [loss for each in descents for loss in each.losses]
    if losses and min(losses) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(lambda loss, _: f"{loss:g}")
    for place, each in enumerate(descents):
        steps = range(len(each.losses))
        label = phrase("rate {rate}", rate=f"{each.rate:g}")
        if each.diverged:
            label = phrase("rate {rate}, diverges", rate=f"{each.rate:g}")
        _line(axes, steps, each.losses, place, text_in(label, language), every=max(len(steps) // 8, 1))
        if each.diverged and each.losses:
            axes.plot(steps[-1], each.losses[-1], "x", color=COLOURS[place % len(COLOURS)], markersize=11)
    _legend_below(axes, language)
    return Picture(figure)


def cost_chart(curves: CostCurves, name: str, language: Language) -> Picture:
    """Operations against width, both in powers."""
    title = phrase("{model}: what a gradient costs", model=name)
    width, operations_axis = phrase("size of every open axis"), phrase("operations of one gradient")
    figure, axes = new_chart(title, width, operations_axis, language)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    for place, (label, operations) in enumerate(curves.operations.items()):
        _line(axes, curves.widths, operations, place, translated(label, language))
    axes.xaxis.set_major_locator(FixedLocator(list(curves.widths)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda width, _: f"{width:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    _legend_below(axes, language)
    return Picture(figure)


def _line(
    axes: Axes, xs: Sequence[float], ys: Sequence[float], place: int, label: str, every: int = 1
) -> None:
    """A line that colour, dashes and markers each tell from the others."""
    axes.plot(
        xs,
        ys,
        color=COLOURS[place % len(COLOURS)],
        linestyle=DASHES[place % len(DASHES)],
        marker=MARKERS[place % len(MARKERS)],
        markersize=5,
        markevery=every,
        linewidth=1.9,
        label=label,
    )


def _legend_below(axes: Axes, language: Language) -> None:
    """Names of the lines where they hide none."""
    with rc_context(look(language)):
        axes.figure.legend(loc="outside lower center", ncols=1, frameon=False, labelcolor=INK, edgecolor=GRID)
