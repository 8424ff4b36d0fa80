"""Element types: NumPy's, bfloat16 and float8 from `ml_dtypes`, and how they promote.

Promotion is JAX's: the least upper bound in the lattice below, where `i*`, `f*` and `c*` stand for
Python scalars, whose width is not known (*weak* types)::

    bool - i* - u8 - u16 - u32 - u64 -.
            |     \\     \\     \\       f* - bf16 - f32 - f64 -.
            `-- i8 - i16 - i32 - i64 -' |\\- f16 -'  |           c128
                                        |\\- f8 ...  `--- c64 --'
                                        `--- c* ---------'

Each unsigned integer also lies below the signed integer of twice its width. The float8 types lie
above `f*` and below nothing: mixing them with a strong float is an error.

With `enable_x64` off there is one more edge, `u32 - i32`, so that no 64-bit type arises where none
was given. A 64-bit type that was asked for by name is honoured, and then widths are exact as in
NumPy: ``int64 + float32`` is float32 (that edge of the lattice does not depend on the option), but
``int64 + 1.5`` and ``int64 + uint64`` are 64-bit floats, because the 64-bit operand shows that the
width was wanted. `promote_types` is commutative and associative under either setting.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Literal, TypeAlias, cast, overload

import ml_dtypes
import numpy as np

from xform.config import config
from xform.errors import DtypeError
from xform.typing import Dtype, DtypeLike

__all__ = [
    "DTYPES",
    "FLOAT8",
    "bfloat16",
    "canonicalize",
    "check_user_dtype",
    "complex_dtype",
    "dtype_of_name",
    "finfo",
    "float0",
    "iinfo",
    "is_bool",
    "is_complex",
    "is_float",
    "is_inexact",
    "is_integer",
    "is_number",
    "is_signed",
    "is_unsigned",
    "issubdtype",
    "lattice_join",
    "promote_types",
    "real_dtype",
    "result_type",
    "scalar_dtype",
    "short_name",
    "to_inexact",
]

WeakDtype: TypeAlias = tuple[Dtype, bool]

bool_ = np.dtype(np.bool_)
bfloat16 = np.dtype(ml_dtypes.bfloat16)
float0 = np.dtype([("float0", np.void, 0)])
"""The tangent type of integers and booleans: it holds nothing, as its only value is zero."""

_SIGNED = tuple(np.dtype(f"int{bits}") for bits in (8, 16, 32, 64))
_UNSIGNED = tuple(np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64))
_FLOAT = tuple(np.dtype(f"float{bits}") for bits in (16, 32, 64))
_COMPLEX = tuple(np.dtype(f"complex{bits}") for bits in (64, 128))

FLOAT8: tuple[Dtype, ...] = tuple(
    np.dtype(getattr(ml_dtypes, f"float8_{layout}"))
    for layout in (
        "e3m4",
        "e4m3",
        "e4m3b11fnuz",
        "e4m3fn",
        "e4m3fnuz",
        "e5m2",
        "e5m2fnuz",
        "e8m0fnu",
    )
)

DTYPES: tuple[Dtype, ...] = (
    bool_,
    *_SIGNED,
    *_UNSIGNED,
    *FLOAT8,
    bfloat16,
    *_FLOAT,
    *_COMPLEX,
)
"""Every dtype an array can have."""

_ALLOWED = frozenset(DTYPES)
_BY_NAME = {dtype.name: dtype for dtype in DTYPES}
_FLOATS = frozenset((*FLOAT8, bfloat16, *_FLOAT))
_SIGNED_SET = frozenset(_SIGNED)
_UNSIGNED_SET = frozenset(_UNSIGNED)
_INTEGERS = _SIGNED_SET | _UNSIGNED_SET
_COMPLEXES = frozenset(_COMPLEX)

_NARROW = dict(
    zip(
        (_SIGNED[3], _UNSIGNED[3], _FLOAT[2], _COMPLEX[1]),
        (_SIGNED[2], _UNSIGNED[2], _FLOAT[1], _COMPLEX[0]),
        strict=True,
    )
)
_WIDE = {narrow: wide for wide, narrow in _NARROW.items()}


# Kinds


def is_bool(dtype: Dtype) -> bool:
    """Say whether the dtype is bool."""
    return dtype == bool_


def is_integer(dtype: Dtype) -> bool:
    """Say whether the dtype is a signed or unsigned integer; bool is neither."""
    return dtype in _INTEGERS


def is_unsigned(dtype: Dtype) -> bool:
    """Say whether the dtype is an unsigned integer."""
    return dtype in _UNSIGNED_SET


def is_signed(dtype: Dtype) -> bool:
    """Say whether the dtype has negative values: signed integers and everything inexact."""
    return dtype in _SIGNED_SET or is_inexact(dtype)


def is_float(dtype: Dtype) -> bool:
    """Say whether the dtype is real floating point, bfloat16 and float8 included."""
    return dtype in _FLOATS


def is_complex(dtype: Dtype) -> bool:
    """Say whether the dtype is complex."""
    return dtype in _COMPLEXES


def is_inexact(dtype: Dtype) -> bool:
    """Say whether the dtype is floating point or complex: whether it can be differentiated."""
    return dtype in _FLOATS or dtype in _COMPLEXES


def is_number(dtype: Dtype) -> bool:
    """Say whether the dtype is an integer, floating point or complex; bool is not."""
    return dtype in _INTEGERS or is_inexact(dtype)


_ABSTRACT_ABOVE: dict[str, tuple[type[np.generic], ...]] = {
    "bool": (np.bool_, np.generic),
    "signed": (np.signedinteger, np.integer, np.number, np.generic),
    "unsigned": (np.unsignedinteger, np.integer, np.number, np.generic),
    "float": (np.floating, np.inexact, np.number, np.generic),
    "complex": (np.complexfloating, np.inexact, np.number, np.generic),
}


def _kind(dtype: Dtype) -> str | None:
    if dtype in _FLOATS:
        return "float"
    if dtype in _SIGNED_SET:
        return "signed"
    if dtype in _UNSIGNED_SET:
        return "unsigned"
    if dtype in _COMPLEXES:
        return "complex"
    return "bool" if dtype == bool_ else None


def issubdtype(dtype: DtypeLike, parent: DtypeLike) -> bool:
    """Say whether a dtype lies below another in NumPy's hierarchy, bfloat16 and float8 included.

    Args:
        dtype: a dtype, a scalar type, or an abstract type such as ``np.floating``.
        parent: a dtype, a scalar type, or an abstract type.

    >>> issubdtype("bfloat16", np.floating)
    True
    >>> issubdtype(np.float32, np.integer)
    False
    """
    if isinstance(dtype, type) and issubclass(dtype, np.generic) and _is_abstract(dtype):
        return (
            isinstance(parent, type)
            and issubclass(parent, np.generic)
            and issubclass(dtype, parent)
        )
    child = _to_dtype(dtype)
    if isinstance(parent, type) and issubclass(parent, np.generic) and _is_abstract(parent):
        kind = _kind(child)
        if kind is None:
            return issubclass(child.type, parent)
        return parent in _ABSTRACT_ABOVE[kind]
    return child == _to_dtype(parent)


def _is_abstract(scalar: type[np.generic]) -> bool:
    return scalar in (
        np.generic,
        np.number,
        np.integer,
        np.signedinteger,
        np.unsignedinteger,
        np.inexact,
        np.floating,
        np.complexfloating,
        np.character,
        np.flexible,
    )


# Widths


def canonicalize(dtype: Dtype) -> Dtype:
    """Narrow a 64-bit dtype (complex: 128-bit) to 32 bits (64) unless `enable_x64` is on.

    This is for dtypes that nobody asked for, such as that of a NumPy array made by default.

    >>> canonicalize(np.dtype("float64"))
    dtype('float32')
    """
    return dtype if config.enable_x64 else _NARROW.get(dtype, dtype)


_SCALAR_WIDE: dict[type, Dtype] = {
    bool: bool_,
    int: _SIGNED[3],
    float: _FLOAT[2],
    complex: _COMPLEX[1],
}
_SCALAR_NARROW = {scalar: _NARROW.get(dtype, dtype) for scalar, dtype in _SCALAR_WIDE.items()}


def scalar_dtype(scalar: type) -> Dtype:
    """Give the dtype of a Python scalar: bool, int, float or complex.

    Args:
        scalar: the Python type.

    Returns:
        The 64-bit dtype (complex: 128-bit) with `enable_x64` on, otherwise the 32-bit (64) one.

    >>> scalar_dtype(float)
    dtype('float32')
    """
    table = _SCALAR_WIDE if config.enable_x64 else _SCALAR_NARROW
    try:
        return table[scalar]
    except KeyError:
        raise DtypeError(
            "expected one of the types bool, int, float, complex", repr(scalar)
        ) from None


def to_inexact(dtype: Dtype) -> Dtype:
    """Give the floating-point dtype in which a real function of this dtype is computed.

    Inexact dtypes stand for themselves; 64-bit integers become float64, all others float32.

    >>> to_inexact(np.dtype("int16"))
    dtype('float32')
    """
    if is_inexact(dtype):
        return dtype
    return _FLOAT[2] if dtype in _NARROW else _FLOAT[1]


def real_dtype(dtype: Dtype) -> Dtype:
    """Give the dtype of the real and imaginary parts; real dtypes stand for themselves.

    >>> real_dtype(np.dtype("complex64"))
    dtype('float32')
    """
    if dtype in _COMPLEXES:
        return _FLOAT[1] if dtype == _COMPLEX[0] else _FLOAT[2]
    return dtype


def complex_dtype(dtype: Dtype) -> Dtype:
    """Give the complex dtype that holds every value of this dtype's inexact counterpart.

    >>> complex_dtype(np.dtype("float64"))
    dtype('complex128')
    """
    if dtype in _COMPLEXES:
        return dtype
    return _COMPLEX[1] if to_inexact(dtype) == _FLOAT[2] else _COMPLEX[0]


# Names

_LETTER = {"signed": "i", "unsigned": "u", "float": "f", "complex": "c"}


@cache
def short_name(dtype: Dtype) -> str:
    """Write a dtype as in a printed program, such as `f32`, `bf16`, `f8_e4m3fn`, `u8`, `bool`.

    >>> short_name(np.dtype("float32"))
    'f32'
    """
    if dtype == float0:
        return "float0"
    if dtype == bfloat16:
        return "bf16"
    if dtype in FLOAT8:
        return "f8" + dtype.name.removeprefix("float8")
    letter = _LETTER.get(_kind(dtype) or "")
    return f"{letter}{8 * dtype.itemsize}" if letter else dtype.name


_BY_SHORT_NAME = {short_name(dtype): dtype for dtype in (*DTYPES, float0)}


def dtype_of_name(name: str) -> Dtype:
    """Find a dtype by its short or its full name.

    Args:
        name: such as ``"f32"`` or ``"float32"``.

    Raises:
        DtypeError: no dtype has that name.

    >>> dtype_of_name("bf16")
    dtype(bfloat16)
    """
    dtype = _BY_SHORT_NAME.get(name) or _BY_NAME.get(name)
    if dtype is None:
        raise DtypeError(f"expected a dtype's name: {', '.join(_BY_SHORT_NAME)}", repr(name))
    return dtype


def _to_dtype(dtype: object) -> Dtype:
    """Read a dtype in any spelling, whether or not an array can have it."""
    if isinstance(dtype, np.dtype):
        return dtype
    if isinstance(dtype, type) and dtype in _SCALAR_WIDE:
        return scalar_dtype(dtype)
    if isinstance(dtype, str) and dtype in _BY_NAME:
        return _BY_NAME[dtype]
    own = getattr(dtype, "dtype", None)
    if isinstance(own, np.dtype):
        return own
    try:
        return np.dtype(cast(type, dtype))
    except (TypeError, ValueError):
        raise DtypeError("expected a dtype", repr(dtype), instead="dtype='float32'") from None


def check_user_dtype(dtype: object) -> Dtype:
    """Read a dtype that the user gave, in any of NumPy's spellings.

    A dtype with a width, such as ``np.float64`` or ``"int64"``, is taken at its word; the Python
    types int, float and complex mean the default width, see `scalar_dtype`.

    Args:
        dtype: a dtype, a scalar type, or a name.

    Raises:
        DtypeError: it is not a dtype, or not one an array can have.

    >>> check_user_dtype("float64"), check_user_dtype(float)
    (dtype('float64'), dtype('float32'))
    """
    if dtype is None:
        raise DtypeError("expected a dtype", "None", instead="dtype='float32'")
    found = _to_dtype(dtype)
    if found in _ALLOWED or found == float0:
        if not found.isnative:
            return found.newbyteorder("=")
        return found
    if found.newbyteorder("=") in _ALLOWED:
        return found.newbyteorder("=")
    raise DtypeError(
        "expected a dtype of numbers or booleans",
        f"{found}",
        why=f"arrays hold {', '.join(sorted(_BY_SHORT_NAME))}",
    )


finfo = ml_dtypes.finfo
"""Limits of a floating-point dtype, as ``np.finfo``; knows bfloat16 and float8."""

iinfo = ml_dtypes.iinfo
"""Limits of an integer dtype, as ``np.iinfo``."""


# Promotion

_Node: TypeAlias = Dtype | type


def _edges(x64: bool) -> dict[_Node, tuple[_Node, ...]]:
    """List each type's immediate successors in the lattice."""
    i8, i16, i32, i64 = _SIGNED
    u8, u16, u32, u64 = _UNSIGNED
    f16, f32, f64 = _FLOAT
    c64, c128 = _COMPLEX
    return {
        bool_: (int,),
        int: (i8, u8),
        i8: (i16,),
        i16: (i32,),
        i32: (i64,),
        i64: (float,),
        u8: (u16, i16),
        u16: (u32, i32),
        u32: (u64, i64) if x64 else (u64, i64, i32),
        u64: (float,),
        float: (bfloat16, f16, complex, *FLOAT8),
        **dict.fromkeys(FLOAT8, ()),
        bfloat16: (f32,),
        f16: (f32,),
        f32: (f64, c64),
        f64: (c128,),
        complex: (c64,),
        c64: (c128,),
        c128: (),
    }


def _up_sets(x64: bool) -> dict[_Node, frozenset[_Node]]:
    """Find everything that lies at or above each type."""
    edges = _edges(x64)

    @cache
    def above(node: _Node) -> frozenset[_Node]:
        return frozenset({node}).union(*(above(successor) for successor in edges[node]))

    return {node: above(node) for node in edges}


_UP = {x64: _up_sets(x64) for x64 in (False, True)}


def _join(nodes: Iterable[_Node], x64: bool) -> _Node | None:
    """Find the least upper bound: the common bound that lies below all common bounds."""
    up = _UP[x64]
    common = frozenset.intersection(*(up[node] for node in nodes))
    for node in common:
        if up[node] == common:
            return node
    return None


_WEAK_NODE: dict[str | None, type] = {
    "signed": int,
    "unsigned": int,
    "float": float,
    "complex": complex,
}


@cache
def _lattice_join(first: WeakDtype, second: WeakDtype, x64: bool) -> WeakDtype | None:
    """Join two types; None when nothing lies above both."""
    operands = [(dtype, weak and dtype != bool_) for dtype, weak in (first, second)]
    if all(weak for _, weak in operands):
        # Scalars that carry a width keep it among themselves.
        joined = _join([dtype for dtype, _ in operands], x64)
        return None if joined is None else (cast(Dtype, joined), True)
    nodes = [_WEAK_NODE[_kind(dtype)] if weak else dtype for dtype, weak in operands]
    joined = _join(nodes, x64)
    if joined is None:
        return None
    if isinstance(joined, np.dtype):
        return joined, False
    # The width of a weak result is the default one, unless an operand was asked for in 64 bits. A
    # weak integer does not count where the result is not one: its width is nobody's request.
    wide = x64 or any(
        dtype in _NARROW and not (weak and node is int and joined is not int)
        for (dtype, weak), node in zip(operands, nodes, strict=True)
    )
    return (_SCALAR_WIDE if wide else _SCALAR_NARROW)[joined], True


def lattice_join(first: WeakDtype, second: WeakDtype) -> WeakDtype:
    """Join two types, each a dtype and whether it is weak.

    Args:
        first: a dtype and whether it is weak.
        second: likewise.

    Returns:
        The least upper bound, and whether it is weak.

    Raises:
        DtypeError: a float8 type meets another type of floats.

    >>> lattice_join((np.dtype("int32"), False), (np.dtype("float32"), True))
    (dtype('float32'), True)
    """
    if first == second:
        return first
    try:
        joined = _lattice_join(first, second, config.enable_x64)
    except KeyError:
        bad = next(dtype for dtype, _ in (first, second) if dtype not in _ALLOWED)
        raise DtypeError(
            "expected a dtype of numbers or booleans", f"{bad}", why="no other dtype promotes"
        ) from None
    if joined is None:
        raise DtypeError(
            "expected dtypes that promote to a common one",
            f"{first[0]} and {second[0]}",
            why="8-bit floats lose most digits, so they promote only when told to",
            instead="x.astype('float32')",
        )
    return joined


_PYTHON_SCALARS = (int, float, complex)


def promote_types(first: DtypeLike, second: DtypeLike) -> Dtype:
    """Give the dtype of an operation between two dtypes.

    Args:
        first: a dtype in any spelling; the types int, float, complex stand for Python scalars.
        second: likewise.

    Raises:
        DtypeError: a float8 type meets another type of floats.

    >>> promote_types("int32", "float16"), promote_types("uint8", int)
    (dtype('float16'), dtype('uint8'))
    """
    return lattice_join(_weak_dtype(first), _weak_dtype(second))[0]


def _weak_dtype(value: object) -> WeakDtype:
    """Give the dtype of an array, scalar or dtype, and whether it is weak."""
    if isinstance(value, np.dtype):
        return value, False
    if isinstance(value, np.ndarray | np.generic):
        # As it will be when it enters a program.
        return canonicalize(value.dtype), False
    kind = type(value)
    if kind in _SCALAR_WIDE:
        return scalar_dtype(kind), kind is not bool
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, np.dtype):
        return dtype, bool(getattr(value, "weak_type", False))
    if isinstance(value, type) and value in _SCALAR_WIDE:
        return scalar_dtype(value), value is not bool
    if isinstance(value, bool | int | float | complex):
        base = next(scalar for scalar in _SCALAR_WIDE if isinstance(value, scalar))
        return scalar_dtype(base), True
    return _to_dtype(value), False


@overload
def result_type(*args: object, return_weak_type: Literal[False] = False) -> Dtype: ...


@overload
def result_type(*args: object, return_weak_type: Literal[True]) -> WeakDtype: ...


def result_type(*args: object, return_weak_type: bool = False) -> Dtype | WeakDtype:
    """Give the dtype of an operation between arrays, scalars and dtypes.

    Args:
        *args: arrays (anything with a `dtype`, and `weak_type` where it can be weak), Python
            scalars, which are weak, and dtypes in any spelling. NumPy's own arrays and scalars
            count in the width they have inside a program, see `canonicalize`.
        return_weak_type: whether to return the weak type too.

    Returns:
        The dtype; with `return_weak_type`, a pair of the dtype and whether it is weak.

    Raises:
        DtypeError: there are no arguments, or a float8 type meets another type of floats.

    >>> result_type("int16", 2.5)
    dtype('float32')
    """
    if not args:
        raise DtypeError("expected at least one array, scalar or dtype", "none")
    joined = _weak_dtype(args[0])
    for arg in args[1:]:
        joined = lattice_join(joined, _weak_dtype(arg))
    return joined if return_weak_type else joined[0]
