"""Libraries that are imported at first use, without the collector."""

import gc
import subprocess
import sys

import pytest

from symbackprop.deferred_imports import DeferredModule, imported


def test_a_module_is_imported_when_a_name_is_read() -> None:
    program = (
        "import sys\n"
        "from symbackprop.deferred_imports import DeferredModule\n"
        "module = DeferredModule('wave')\n"
        "assert 'wave' not in sys.modules\n"
        "error = module.Error\n"
        "assert error is sys.modules['wave'].Error is module.Error\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_names_that_there_are_not() -> None:
    module = DeferredModule("json")
    with pytest.raises(AttributeError):
        assert module.nothing_of_that_name
    with pytest.raises(AttributeError):
        assert module.__path__
    with pytest.raises(ModuleNotFoundError):
        assert DeferredModule("no_such_library").name


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_collector_is_left_as_it_was(is_enabled: bool) -> None:
    was_enabled = gc.isenabled()
    try:
        gc.enable() if is_enabled else gc.disable()
        imported("json")
        assert gc.isenabled() == is_enabled
        with pytest.raises(ModuleNotFoundError):
            imported("no_such_library")
        assert gc.isenabled() == is_enabled
    finally:
        gc.enable() if was_enabled else gc.disable()
