"""Questions about dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtypes
from ..errors import ArgumentError

_KINDS: dict[str, Any] = {
    "bool": dtypes.is_bool,
    "signed integer": lambda d: dtypes.is_integer(d) and not dtypes.is_unsigned(d),
    "unsigned integer": dtypes.is_unsigned,
    "integral": dtypes.is_integer,
    "real floating": dtypes.is_float,
    "complex floating": dtypes.is_complex,
    "numeric": dtypes.is_number,
}


def can_cast(from_: Any, to: Any, casting: str = "safe") -> bool:
    """Whether numbers of one dtype can be cast to another under NumPy's rules.

    >>> can_cast("int32", "float32", casting="same_kind")
    True
    """
    return bool(np.can_cast(dtypes.check_user_dtype(from_), dtypes.check_user_dtype(to), casting))  # type: ignore[arg-type]


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is another, or of a kind of the array API such as ``"real floating"``.

    >>> isdtype("bfloat16", "real floating")
    True
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    found = dtypes.check_user_dtype(dtype)
    if isinstance(kind, str):
        test = _KINDS.get(kind)
        if test is None:
            raise ArgumentError(f"expected one of the kinds {', '.join(_KINDS)}", repr(kind))
        return bool(test(found))
    return bool(found == dtypes.check_user_dtype(kind))
