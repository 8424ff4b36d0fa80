"""The one door to the kernels: ``from xform._kernels import scalar``.

Installed, the kernels are the package `xform.kernels`. In a bare checkout they lie beside `xform`,
and are loaded under that name from there. A module of theirs is imported when it is first asked
for, so that eager mode starts without LLVM.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

_NAME = "xform.kernels"


def _open() -> None:
    """Make `xform.kernels` importable."""
    if importlib.util.find_spec(_NAME) is not None:
        return
    folder = Path(__file__).resolve().parent.parent / "kernels"
    spec = importlib.util.spec_from_file_location(
        _NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None, "a file location has a loader"
    package = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = package
    spec.loader.exec_module(package)


def __getattr__(name: str) -> Any:
    """Import a module of the kernels.

    Raises:
        AttributeError: there is no such module.
    """
    if name.startswith("__"):
        raise AttributeError(name)
    full = f"{_NAME}.{name}"
    if full not in sys.modules and importlib.util.find_spec(full) is None:
        raise AttributeError(f"the kernels have no module {name!r}", name=name)
    module = importlib.import_module(full)
    globals()[name] = module
    return module


_open()
