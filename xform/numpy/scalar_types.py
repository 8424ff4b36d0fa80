"""The names of dtypes: `xnp.float32` is a dtype, and `xnp.float32(x)` an array of it."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from ..core import dtypes
from .creation import asarray


class ScalarType(type):
    """The type of `xnp.float32` and its like: equal to NumPy's type of that name, and callable."""

    dtype: np.dtype[Any]

    def __call__(cls, x: Any = 0) -> Any:
        """An array of this dtype.

        >>> float32(1)
        Array(1., dtype=float32)
        """
        return asarray(x, dtype=cls.dtype)

    def __eq__(cls, other: object) -> bool:
        if cls is other:
            return True
        try:
            return bool(cls.dtype == dtypes.check_user_dtype(other))
        except dtypes.DtypeError:
            return False

    def __ne__(cls, other: object) -> bool:
        return not cls == other

    def __hash__(cls) -> int:
        return hash(cls.dtype.type)

    def __repr__(cls) -> str:
        return f"<dtype {cls.dtype.name} of xform.numpy>"


def _scalar_type(scalar: Any) -> Any:
    dtype = np.dtype(scalar)
    body = {"dtype": dtype, "__doc__": f"The dtype {dtype.name}; called, an array of it."}
    return ScalarType(dtype.name, (), body)


bool_ = _scalar_type(np.bool_)
int8 = _scalar_type(np.int8)
int16 = _scalar_type(np.int16)
int32 = _scalar_type(np.int32)
int64 = _scalar_type(np.int64)
uint8 = _scalar_type(np.uint8)
uint16 = _scalar_type(np.uint16)
uint32 = _scalar_type(np.uint32)
uint64 = _scalar_type(np.uint64)
bfloat16 = _scalar_type(ml_dtypes.bfloat16)
float16 = _scalar_type(np.float16)
float32 = _scalar_type(np.float32)
float64 = _scalar_type(np.float64)
complex64 = _scalar_type(np.complex64)
complex128 = _scalar_type(np.complex128)
float8_e3m4 = _scalar_type(ml_dtypes.float8_e3m4)
float8_e4m3 = _scalar_type(ml_dtypes.float8_e4m3)
float8_e4m3b11fnuz = _scalar_type(ml_dtypes.float8_e4m3b11fnuz)
float8_e4m3fn = _scalar_type(ml_dtypes.float8_e4m3fn)
float8_e4m3fnuz = _scalar_type(ml_dtypes.float8_e4m3fnuz)
float8_e5m2 = _scalar_type(ml_dtypes.float8_e5m2)
float8_e5m2fnuz = _scalar_type(ml_dtypes.float8_e5m2fnuz)
float8_e8m0fnu = _scalar_type(ml_dtypes.float8_e8m0fnu)

single = float32
double = float64
csingle = complex64
cdouble = complex128

int_ = int
float_ = float
complex_ = complex
uint = _scalar_type(np.uint32)
