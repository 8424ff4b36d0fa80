"""SciPy's special functions, loaded when the first of them is used: the import takes long."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import numpy as np


@cache
def _function(name: str) -> Any:
    return getattr(importlib.import_module("scipy.special"), name)


def special_function(name: str) -> Any:
    """An `impl` that calls a function of `scipy.special`.

    Args:
        name: the function's name there.

    Returns:
        a function of NumPy arrays of dtype float32 or float64, and of the function's accuracy.
    """

    def impl(*arrays: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(_function(name)(*arrays))

    return impl
