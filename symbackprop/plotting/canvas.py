"""How all pictures look, and their bytes: colours that the colour-blind tell apart, dark words on white."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager

from symbackprop.emission.files import write_atomically
from symbackprop.errors import EmissionError
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import Words, text_in, worded

# M. Okabe and K. Ito, Color Universal Design (2008): told apart with every kind of colour blindness.
BLUE, VERMILLION, GREEN, PURPLE, INK = "#0072B2", "#D55E00", "#00795C", "#A5558A", "#1a1a1a"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, INK)
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v")
GRID = "#d9d9d9"
FORMATS = ("svg", "png", "pdf")
DOTS_PER_INCH, OF_A_NOTEBOOK = 160, 100

LATIN = "DejaVu Sans"
# Families with Japanese letters, as systems install them; TeX's own is asked for where there is none.
JAPANESE = (
    "Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic", "IPAGothic", "Source Han Sans", "TakaoGothic",
    "VL Gothic", "Hiragino Sans", "Yu Gothic", "Meiryo",
)  # fmt: skip
FONT_OF_TEX = "HaranoAjiGothic-Regular.otf"

# matplotlib types the keys one by one, in newer versions alone.
_LOOK: Any = {
    "font.size": 11.0,
    "axes.titlesize": 12.0,
    "axes.labelsize": 11.0,
    "legend.fontsize": 10.0,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "symbackprop",  # ids of paths are random without
    "svg.fonttype": "path",  # boxes are as wide as these letters, whatever fonts the reader has
}
# Without them, files of the same picture are the same to the byte.
_UNDATED: Mapping[str, Mapping[str, None]] = {
    "svg": {"Date": None},
    "png": {},
    "pdf": {"CreationDate": None},
}


def look(language: Language) -> Any:
    """matplotlib's settings for pictures in a language."""
    return {**_LOOK, "font.family": [LATIN, *filter(None, [family_for(language)])]}


@cache
def family_for(language: Language) -> str | None:
    """The family of fonts with a language's letters; None where the machine has none, or none is needed."""
    if language is Language.ENGLISH:
        return None
    installed = {font.name for font in fontManager.ttflist}
    return next((family for family in JAPANESE if family in installed), None) or _family_of_tex()


def _family_of_tex() -> str | None:
    kpsewhich = shutil.which("kpsewhich")
    if kpsewhich is None:
        return None
    found = subprocess.run([kpsewhich, FONT_OF_TEX], capture_output=True, text=True).stdout.strip()
    if not found:
        return None
    fontManager.addfont(found)
    return FontProperties(fname=found).get_name()


def shown_in(lang: str) -> Language:
    """The language of a picture's words: English where no font has the letters of the one asked for."""
    language = Language(lang)
    return language if family_for(language) else Language.ENGLISH


@dataclass(frozen=True, repr=False)
class Picture:
    """A drawing that can be written to a file, and that a notebook shows."""

    figure: Figure

    def __repr__(self) -> str:
        width, height = self.figure.get_size_inches()
        return f"<Picture {width:.1f} x {height:.1f} inches>"

    def bytes_as(self, format: str, dots_per_inch: int = DOTS_PER_INCH) -> bytes:
        """The picture as svg, png or pdf: the same bytes at every call."""
        stream = io.BytesIO()
        with rc_context(look(Language.ENGLISH)):
            self.figure.savefig(stream, format=format, dpi=dots_per_inch, metadata=_UNDATED[format])
        return stream.getvalue()

    def save(self, path: Path | str) -> None:
        """Write it to a file, in the format that its ending names; EmissionError for one of none."""
        path = Path(path)
        write_atomically(path, self.bytes_as(format_of(path)))

    def _repr_png_(self) -> bytes:
        return self.bytes_as("png", OF_A_NOTEBOOK)


def format_of(path: Path) -> str:
    """What the ending says: svg, png or pdf; EmissionError for any other."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise EmissionError(
            worded("{path} does not say which kind of picture it is", path=path),
            remedy=worded("end the name with {formats}", formats=", ".join(f".{each}" for each in FORMATS)),
        )
    return ending


def new_figure(width: float = 6.8, height: float = 4.4) -> Figure:
    """An empty picture of so many inches."""
    with rc_context(look(Language.ENGLISH)):
        return Figure(figsize=(width, height), layout="constrained")


def new_chart(title: Words, x: Words, y: Words, language: Language) -> tuple[Figure, Axes]:
    """A picture with one pair of axes, their names in a language, and a grid."""
    figure = new_figure()
    with rc_context(look(language)):
        axes = figure.subplots()
        axes.set_title(text_in(title, language), color=INK)
        axes.set_xlabel(text_in(x, language), color=INK)
        axes.set_ylabel(text_in(y, language), color=INK)
        axes.tick_params(colors=INK)
        axes.grid(True, which="major", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return figure, axes
