"""Generated text to a module, without a file."""

from __future__ import annotations

import linecache
from hashlib import sha256
from types import ModuleType

from symbackprop.errors import PrintingError


def load_module(source: str, name: str) -> ModuleType:
    """The module that the text defines. It runs the text: pass only what this package generated, or the
    user's own file.

    The text is registered for tracebacks and `inspect.getsource`, under a name made from its hash. Raises
    PrintingError where it is not Python; whatever the text itself raises passes through.
    """
    filename = f"<generated {name} {sha256(source.encode()).hexdigest()[:12]}>"
    try:
        code = compile(source, filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise PrintingError(f"the module {name} is not Python: {error}") from error
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    module = ModuleType(name)
    module.__file__ = filename
    exec(code, module.__dict__)
    return module
