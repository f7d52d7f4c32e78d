import pytest

from symbackprop.auditing import expectations
from symbackprop.derivation.driver import derive


@pytest.fixture(autouse=True, scope="session")
def one_derivation_a_model():
    """Many cases share a model: it is derived once for all of them."""
    known = {}

    def derived(system, asked):
        key = (system.source, system.axes, asked)
        if key not in known:
            known[key] = derive(system, asked)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expectations, "derive", derived)
        yield
