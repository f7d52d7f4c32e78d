"""A function is named by its record alone: no other file has its name, but for rules about that function."""

from __future__ import annotations

import ast
from pathlib import Path

from symbackprop.functions.table import ALL_FUNCTIONS

PACKAGE = Path(__file__).parents[2] / "symbackprop"
# Words of reductions, positions and whole numbers too, whose arithmetic is the language's own.
ARITHMETIC = {"max", "min", "abs", "floor", "ceil", "mod"}
# The records, and the stable forms: log(1 + e^u) is softplus(u), 1/(1 + e^-u) is sigmoid(u).
ABOUT_FUNCTIONS = ("functions", "exponentials", "stability")
# What is about a function itself, and why.
ALLOWED: dict[str, set[str]] = {
    # e^u and log(u) undo each other: their algebra.
    "cost/expressions.py": {"exp"},
    "explanation/instances/drawing.py": {"log"},  # of which a small constant keeps 0 away
    "array/empty_axes.py": {"exp"},  # which is never 0
    "algebra/certificate.py": {"exp", "log"},
    "algebra/definedness.py": {"exp"},
    "algebra/digits.py": {"exp"},
    "algebra/known_equations.py": {"exp", "log", "tanh"},  # tanh(u) is rational in e^(2*u)
    "algebra/opened.py": {"exp", "log"},
    "algebra/scalar_algebra.py": {"exp"},
    "algebra/scalar_search.py": {"exp"},
    "derivation/grounds.py": {"exp"},
    "derivation/calculus_of_scalars.py": {"log", "sign"},  # (a^u)' = a^u*log(a)*u', sqrt(f^2)' = sign(f)*f'
    "derivation/preparation.py": {"exp", "log"},
    "derivation/parts/exponents.py": {"exp", "log"},  # a log-sum-exp
    # Rules about exponentials, and arrays of a softmax, whose masked exponents are -inf.
    "derivation/parts/repeated.py": {"exp", "log"},  # no part of a logarithm is named, e^u by its exponent
    "presentation/cancelled_divisors.py": {"exp"},
    "presentation/gathered_terms.py": {"exp"},
    "passes/masked_exponents.py": {"exp"},
    "passes/triangles.py": {"exp"},
    "language/positions.py": {"floor_of_real"},  # of integers they are integer arithmetic
    # What softmax and logsumexp stand for.
    "language/shorthands.py": {"exp", "log"},
    "systems/invariance.py": {"exp", "log"},  # a shift inside is a factor outside, and the other way round
    "systems/shorthands.py": {"exp", "log"},
    "systems/shifted_exponentials.py": {"exp"},
    "exponentials/weighted/slopes.py": {"sigmoid"},
    "schedule/typed_exponents.py": {"exp", "exp_of_sum"},  # one exponential of what the others' exponents add
    # NumPy's kernels by the operations that they are made of.
    "buffers/expansions.py": {"exp", "exp_of_sum", "gelu", "normcdf", "relu", "sigmoid", "silu", "stop"},
    "plotting/charts.py": {"log"},  # a scale of matplotlib
    # What NumPy computes of whole numbers, in a program as in the evaluators, for positions that round it.
    "integers/recognition.py": {"cos", "exp", "expm1", "log", "log1p", "sin", "tan", "tanh"},
    "semantics/array_functions.py": {"floor_of_real", "round"},
    # logdet is a logarithm.
    "lowering/matrix_operations.py": {"log"},
    "semantics/array_matrices.py": {"log"},
    "semantics/rounding.py": {"exp"},
    "semantics/naive.py": {"log"},
    # Functions that a model writes out in pieces, and 1 - tanh(u)^2.
    "rules/written_out.py": {"cosh", "exp", "log", "log1p", "relu", "sigmoid", "softplus"},
    "systems/partial.py": {"exp", "relu"},  # exp is never 0, relu as large as its argument
    "lesson/matrix_form.py": {"exp"},  # of each element, which no exponential of a matrix is
    # What is planted on purpose: the sign at 0, and the sign of a term as the name of a fault.
    "faults/mutations.py": {"sign"},
    "faults/table.py": {"sign"},
    "verification/control.py": {"sign"},
    # The sign of a term as the name of a mistake.
    "auditing/edits/statements.py": {"sign"},
    "auditing/hypotheses.py": {"sign"},
    "auditing/remedies.py": {"log"},  # a factor of exponentials that are added up leaves it as a term
    # Functions of array libraries that are not installed, by their names there.
    "handwritten/running/stand_ins.py": {"erf", "relu", "sigmoid", "silu", "softplus"},
    # A root or a logarithm in the code of somebody else, and what there may overflow.
    "auditing/edits/numbers.py": {"log", "sign"},
    "sampling/draws_at_bounds.py": {"relu"},  # a maximum with 0
    # NumPy functions that are taken for one another.
    "auditing/edits/reads.py": {"cos", "cosh", "exp", "log", "sin", "sinh"},
    "layers/options.py": {"tanh"},  # an example in a message
    "layers/specimen.py": {"tanh"},  # an example in the catalogue
}


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in strings if isinstance(text, str)} & (set(ALL_FUNCTIONS) - ARITHMETIC)


def test_functions_are_named_by_their_records_alone() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): names
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.parent.name not in ABOUT_FUNCTIONS and (names := names_in(path))
    }
    assert found == ALLOWED


def test_no_layer_lists_the_functions() -> None:
    text = (PACKAGE / "layers" / "formulas" / "elementwise.layer").read_text(encoding="utf-8")
    assert not any(f" {name}" in text for name in ("tanh", "softplus", "normcdf"))


def test_the_check_sees_a_name(tmp_path: Path) -> None:
    module = tmp_path / "named.py"
    module.write_text('"""About tanh."""\nTABLE = {"tanh", "max", "frob"}\n')
    assert names_in(module) == {"tanh"}
