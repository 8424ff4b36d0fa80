"""NumPy's functions for arrays and traced values.

Names, arguments and defaults are those of `jax.numpy`; dtypes promote as in JAX, with Python
numbers taking the dtype of what they meet.

>>> import xform.numpy as xnp
>>> xnp.arange(3) * 2 + 0.5
Array([0.5, 2.5, 4.5], dtype=float32, weak_type=True)
"""

# ruff: noqa: F401 - the imports are the face

from __future__ import annotations as _annotations

import difflib as _difflib
import math as _math
import types as _types
from typing import NoReturn as _NoReturn

import numpy as _np

from ..core.dtypes import (
    finfo,
    iinfo,
    issubdtype,
    promote_types,
    result_type,
)
from ..interpreters import evaluate as _evaluate  # makes operators evaluate
from ..runtime import eager as _eager  # makes values arrays
from . import linalg, methods as _methods, protocols as _protocols, tiering as _tiering
from .arithmetic import (
    add,
    arctan2,
    atan2,
    copysign,
    divide,
    divmod,  # noqa: A004
    float_power,
    floor_divide,
    fmax,
    fmin,
    fmod,
    heaviside,
    hypot,
    ldexp,
    logaddexp,
    logaddexp2,
    maximum,
    minimum,
    mod,
    multiply,
    nextafter,
    pow,  # noqa: A004
    power,
    remainder,
    subtract,
    true_divide,
)
from .at import (
    fill_diagonal,
    put,
    put_along_axis,
)
from .calculus import (
    convolve,
    correlate,
    diff,
    ediff1d,
    gradient,
    interp,
    polyadd,
    polyder,
    polyint,
    polymul,
    polysub,
    polyval,
    trapezoid,
    unwrap,
)
from .contraction import (
    cross,
    dot,
    inner,
    kron,
    matmul,
    matvec,
    outer,
    tensordot,
    vdot,
    vecdot,
    vecmat,
)
from .creation import (
    arange,
    array,
    asarray,
    copy,
    empty,
    empty_like,
    from_dlpack,
    frombuffer,
    full,
    full_like,
    geomspace,
    linspace,
    logspace,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from .cumulative import (
    cumulative_prod,
    cumulative_sum,
)
from .diagonals import (
    diag,
    diag_indices,
    diag_indices_from,
    diagflat,
    diagonal,
    trace,
    tril,
    tril_indices,
    tril_indices_from,
    triu,
    triu_indices,
    triu_indices_from,
    vander,
)
from .dtype_queries import (
    can_cast,
    isdtype,
)
from .einstein import (
    einsum,
)
from .grids import (
    eye,
    fromfunction,
    identity,
    indices,
    meshgrid,
    mgrid,
    ogrid,
    tri,
)
from .index_tools import (
    index_exp,
    ix_,
    ravel_multi_index,
    s_,
    unravel_index,
)
from .indexing import (
    choose,
    select,
    take,
    take_along_axis,
)
from .logic import (
    bitwise_and,
    bitwise_count,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    equal,
    greater,
    greater_equal,
    invert,
    isclose,
    iscomplex,
    iscomplexobj,
    isfinite,
    isinf,
    isnan,
    isneginf,
    isposinf,
    isreal,
    isrealobj,
    isscalar,
    left_shift,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
    right_shift,
    signbit,
)
from .mapping import (
    apply_along_axis,
    apply_over_axes,
    vectorize,
)
from .methods import (
    ndarray,
)
from .nans import (
    nanargmax,
    nanargmin,
    nancumprod,
    nancumsum,
    nanmax,
    nanmean,
    nanmin,
    nanprod,
    nanstd,
    nansum,
    nanvar,
)
from .padding import (
    pad,
)
from .pointwise import (
    allclose,
    array_equal,
    array_equiv,
    clip,
    frexp,
    gcd,
    lcm,
    modf,
    nan_to_num,
    piecewise,
    sinc,
)
from .promotion import (
    broadcast_shapes,
)
from .rearranging import (
    append,
    array_split,
    block,
    column_stack,
    concat,
    concatenate,
    delete,
    dsplit,
    dstack,
    hsplit,
    hstack,
    insert,
    repeat,
    resize,
    roll,
    split,
    stack,
    tile,
    unstack,
    vsplit,
    vstack,
)
from .reductions import (
    all,  # noqa: A004
    amax,
    amin,
    any,  # noqa: A004
    argmax,
    argmin,
    average,
    count_nonzero,
    cumprod,
    cumsum,
    max,  # noqa: A004
    mean,
    min,  # noqa: A004
    prod,
    ptp,
    std,
    sum,  # noqa: A004
    var,
)
from .scalar_types import (
    bfloat16,
    bool_,
    cdouble,
    complex64,
    complex128,
    complex_,
    csingle,
    double,
    float8_e3m4,
    float8_e4m3,
    float8_e4m3b11fnuz,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    float8_e8m0fnu,
    float16,
    float32,
    float64,
    float_,
    int8,
    int16,
    int32,
    int64,
    int_,
    single,
    uint,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .searching import (
    argwhere,
    bincount,
    compress,
    digitize,
    extract,
    flatnonzero,
    nonzero,
    searchsorted,
    where,
)
from .sets import (
    intersect1d,
    isin,
    setdiff1d,
    setxor1d,
    union1d,
    unique,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
)
from .shaping import (
    astype,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_arrays,
    broadcast_to,
    expand_dims,
    flip,
    fliplr,
    flipud,
    matrix_transpose,
    moveaxis,
    ndim,
    permute_dims,
    ravel,
    reshape,
    rollaxis,
    rot90,
    shape,
    size,
    squeeze,
    swapaxes,
    transpose,
)
from .sorting import (
    argpartition,
    argsort,
    lexsort,
    partition,
    sort,
    sort_complex,
)
from .statistics import (
    corrcoef,
    cov,
    histogram,
    histogram_bin_edges,
    median,
    nanmedian,
    nanpercentile,
    nanquantile,
    percentile,
    quantile,
)
from .ufuncs import (
    abs,  # noqa: A004
    absolute,
    acos,
    acosh,
    angle,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctanh,
    around,
    asin,
    asinh,
    atan,
    atanh,
    cbrt,
    ceil,
    conj,
    conjugate,
    cos,
    cosh,
    deg2rad,
    degrees,
    exp,
    exp2,
    expm1,
    fabs,
    fix,
    floor,
    imag,
    log,
    log1p,
    log2,
    log10,
    negative,
    positive,
    rad2deg,
    radians,
    real,
    reciprocal,
    rint,
    round,  # noqa: A004
    sign,
    sin,
    sinh,
    sqrt,
    square,
    tan,
    tanh,
    trunc,
)
from .windows import (
    bartlett,
    blackman,
    hamming,
    hanning,
    kaiser,
)

pi = _math.pi
e = _math.e
inf = _math.inf
nan = _math.nan
newaxis = None
euler_gamma = 0.5772156649015329
"""Euler's constant: the limit of the harmonic numbers less their logarithms."""

bool = bool_
dtype = _np.dtype
generic = _np.generic
number = _np.number
integer = _np.integer
signedinteger = _np.signedinteger
unsignedinteger = _np.unsignedinteger
inexact = _np.inexact
floating = _np.floating
complexfloating = _np.complexfloating
character = _np.character
flexible = _np.flexible
printoptions = _np.printoptions
set_printoptions = _np.set_printoptions
get_printoptions = _np.get_printoptions
iterable = _np.iterable


# The names above, without the modules they come from.
__all__ = sorted(
    name
    for name, value in globals().items()
    if not name.startswith("_") and (value is linalg or not isinstance(value, _types.ModuleType))
)


def __getattr__(name: str) -> _NoReturn:
    near = _difflib.get_close_matches(name, __all__, 3)
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    hint = f"; near names: {', '.join(near)}" if near else ""
    known = "a NumPy name that is not available yet" if hasattr(_np, name) else "no such name"
    raise AttributeError(f"xform.numpy.{name}: {known}{hint}", name=name, obj=None)


_methods.attach()
_tiering.attach()
_protocols.attach(globals())
