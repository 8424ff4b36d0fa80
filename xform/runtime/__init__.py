"""Arrays, their memory, compiled code, and the dispatch of calls to it.

`executable`, which needs the compiler, and `device_threads` load at their first use.
"""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name in ("device_threads", "executable"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
