import pytest

from symbackprop.auditing import expectations
from symbackprop.derivation.driver import derive


@pytest.fixture(autouse=True, scope="session")
def one_derivation_a_model():
    """Many cases share a model: it is derived, and data are drawn for it, once for all of them."""
    known, drawn = {}, {}
    draws = expectations._draws

    def derived(system, asked):
        key = (system.source, system.axes, asked)
        if key not in known:
            known[key] = derive(system, asked)
        return known[key]

    def drawn_once(derivation, drawing):
        key = (id(derivation), drawing.intervals is None)
        if key not in drawn:
            drawn[key] = derivation, tuple(draws(derivation, drawing))  # held, so that no other has its id
        return iter(drawn[key][1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expectations, "derive", derived)
        patch.setattr(expectations, "_draws", drawn_once)
        yield
