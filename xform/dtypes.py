"""Dtypes and what is asked of them, under the names of `jax.dtypes`.

`float0` is the dtype of tangents and cotangents of integers and booleans; its only value is zero.

>>> from xform import dtypes
>>> dtypes.issubdtype("bfloat16", dtypes.result_type("bfloat16", 1.0))
True
>>> dtypes.canonicalize_dtype("float64")
dtype('float32')
"""

from __future__ import annotations

from typing import Any

from .core.dtypes import (
    bfloat16,
    canonicalize,
    check_user_dtype,
    finfo,
    float0,
    iinfo,
    issubdtype,
    result_type,
)


def canonicalize_dtype(dtype: Any) -> Any:
    """The dtype that values of a dtype get: 32-bit for 64-bit ones while `enable_x64` is off.

    >>> canonicalize_dtype("int64")
    dtype('int32')
    """
    return canonicalize(check_user_dtype(dtype))


__all__ = [
    "bfloat16",
    "canonicalize_dtype",
    "finfo",
    "float0",
    "iinfo",
    "issubdtype",
    "result_type",
]
