"""From the user's values to what operators take: narrowing of 64-bit input, never silently."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import errors
from . import dtypes, source
from .avals import ShapedArray
from .jaxpr import Literal
from .trace import BASE, aval_of

_WARNED: set[tuple[str, int]] = set()


def narrowed(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A NumPy array in the dtype xform gives it: with x64 off, 64-bit becomes 32-bit.

    Integers that do not fit raise `IntegerRangeError`; a float64 or complex128 array warns once per
    line.
    """
    dtype = dtypes.check_user_dtype(x.dtype)
    target = dtypes.canonicalize(dtype)
    if target == dtype and x.dtype.isnative:
        return x
    if dtypes.is_integer(dtype):
        _check_range(x, target)
    elif x.ndim and target != dtype:
        _warn_once(dtype, target)
    with np.errstate(over="ignore"):
        return x.astype(target)


def _check_range(x: np.ndarray[Any, Any], target: np.dtype[Any]) -> None:
    if not x.size:
        return
    low, high = int(x.min()), int(x.max())
    info = np.iinfo(target)
    if low < info.min or high > info.max:
        worst = low if low < info.min else high
        raise errors.IntegerRangeError(
            f"expected integers that fit {target}",
            f"a {x.dtype} array with {worst}",
            why="64-bit integers are narrowed to 32 bits unless x64 is enabled",
            instead='xform.config.update("enable_x64", True), or an explicit dtype: '
            'xnp.asarray(x, dtype="int64")',
        )


def _warn_once(dtype: np.dtype[Any], target: np.dtype[Any]) -> None:
    at = source.current()
    if (at.file, at.line) in _WARNED:
        return
    _WARNED.add((at.file, at.line))
    warnings.warn(
        f"a {dtype} array is narrowed to {target} because x64 is off\n"
        f"  at: {at.text}\n"
        f'  write: x.astype("{target}") to say so, xnp.asarray(x, dtype="{dtype}") to keep it, or\n'
        '         xform.config.update("enable_x64", True) for NumPy\'s widths everywhere',
        errors.NarrowingWarning,
        stacklevel=2,
    )


def scalar(x: bool | int | float | complex, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A Python scalar as a 0-d NumPy array; an integer that does not fit raises."""
    if isinstance(x, int) and not isinstance(x, bool) and dtypes.is_integer(dtype):
        info = np.iinfo(dtype)
        if not info.min <= x <= info.max:
            raise errors.IntegerRangeError(
                f"expected an integer that fits {dtype}",
                str(x),
                instead='xform.config.update("enable_x64", True), or a float',
            )
    with np.errstate(over="ignore"):
        return np.asarray(x).astype(dtype)


def to_numpy(x: Any, aval: ShapedArray | None = None) -> np.ndarray[Any, Any]:
    """The NumPy array of a concrete value, in its aval's dtype."""
    if type(x) is BASE.array_type:
        return BASE.view(x)
    if isinstance(x, Literal):
        return np.asarray(x.value)
    if isinstance(x, np.ndarray):
        return narrowed(x)
    if isinstance(x, np.generic):
        return narrowed(np.asarray(x))
    aval = aval_of(x) if aval is None else aval
    return scalar(x, aval.dtype)
