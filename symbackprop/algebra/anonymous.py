"""Names taken out of an expression, so that equal layers are simplified once."""

from __future__ import annotations

from dataclasses import dataclass, field

from symbackprop.notation.expressions import Axis, Element, Expression, Index, Reduction, Size
from symbackprop.notation.matrix_functions import MatrixFunction


@dataclass
class Anonymous:
    """Numbers tensors, indices and axes in order of first appearance, and gives the names back."""

    tensors: dict[str, str] = field(default_factory=dict)
    axes: dict[Axis, Axis] = field(default_factory=dict)
    indices: dict[Index, Index] = field(default_factory=dict)

    def hide(self, expression: Expression) -> Expression:
        """The expression with numbers for names."""
        match expression:
            case Index():
                return self._index(expression)
            case Size(axis):
                return Size(self._axis(axis))
            case Element(tensor, positions):
                name = self.tensors.setdefault(tensor, f"t{len(self.tensors)}")
                return Element(name, tuple([self.hide(position) for position in positions]))
            case MatrixFunction(kind, tensor, axis, batch, positions):
                name = self.tensors.setdefault(tensor, f"t{len(self.tensors)}")
                hidden = [tuple([self.hide(each) for each in part]) for part in (batch, positions)]
                return MatrixFunction(kind, name, self._axis(axis), *hidden)
            case Reduction(kind, bound, body):
                return Reduction(kind, tuple([self._index(index) for index in bound]), self.hide(body))
        return expression.with_children(tuple([self.hide(child) for child in expression.children]))

    def _axis(self, axis: Axis) -> Axis:
        if axis not in self.axes:
            # What relations say of its size stays: proofs need it.
            formula = self.hide(axis.formula) if axis.formula is not None else None
            self.axes[axis] = Axis(f"A{len(self.axes)}", f"i{len(self.axes)}", formula=formula)
        return self.axes[axis]

    def _index(self, index: Index) -> Index:
        if index not in self.indices:
            self.indices[index] = Index(f"i{len(self.indices)}", self._axis(index.axis))
        return self.indices[index]

    def restore(self) -> Anonymous:
        """The way back: an Anonymous that puts the old names in the place of the numbers."""
        return Anonymous(
            {number: name for name, number in self.tensors.items()},
            {number: axis for axis, number in self.axes.items()},
            {number: index for index, number in self.indices.items()},
        )
