"""Random bits: the Threefry-2x32 block cipher, which every random function is written with.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011: 20 rounds of
addition, rotation and exclusive or on two words of 32 bits, keyed with two more.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import ShapedArray
from ..core.loops import Map
from ..core.primitive import Absent, Domain, constant, define, elementwise
from .checks import check_same_shapes, require_dtype

# Table 2 of the paper: the rotations of even and of odd groups of four rounds.
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))

# The key schedule's third word is the exclusive or of the two key words and this constant.
PARITY = 0x1BD11BDA


def _threefry_aval(
    k0: ShapedArray, k1: ShapedArray, x0: ShapedArray, x1: ShapedArray
) -> list[ShapedArray]:
    avals = (k0, k1, x0, x1)
    check_same_shapes("threefry2x32", avals)
    require_dtype(
        all(a.dtype == np.uint32 for a in avals),
        "expected key and counter words of dtype uint32",
        ", ".join(map(str, avals)),
    )
    out = ShapedArray(x0.shape, x0.dtype)
    return [out, out]


# A block stays in the cache for all rounds; a few elements are faster as Python's integers.
_BLOCK = 8192
_FEW = 8
_MASK = 0xFFFFFFFF


def _threefry_impl(*words: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    flat = [x.reshape(-1) for x in words]
    shape, size = words[0].shape, flat[0].size
    out = [np.empty(size, np.uint32), np.empty(size, np.uint32)]
    if size <= _FEW:
        for k, quad in enumerate(zip(*(x.tolist() for x in flat), strict=True)):
            out[0][k], out[1][k] = _threefry_of_integers(*quad)
    else:
        for start in range(0, size, _BLOCK):
            part = slice(start, start + _BLOCK)
            _threefry_of_arrays(*(x[part] for x in (*flat, *out)))
    return [y.reshape(shape) for y in out]


def _threefry_of_integers(k0: int, k1: int, x0: int, x1: int) -> tuple[int, int]:
    keys = (k0, k1, k0 ^ k1 ^ PARITY)
    x0 = x0 + k0 & _MASK
    x1 = x1 + k1 & _MASK
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            x0 = x0 + x1 & _MASK
            x1 = (x1 << rotation | x1 >> 32 - rotation) & _MASK ^ x0
        x0 = x0 + keys[(group + 1) % 3] & _MASK
        x1 = x1 + keys[(group + 2) % 3] + group + 1 & _MASK
    return x0, x1


def _threefry_of_arrays(
    k0: np.ndarray[Any, Any],
    k1: np.ndarray[Any, Any],
    x0: np.ndarray[Any, Any],
    x1: np.ndarray[Any, Any],
    y0: np.ndarray[Any, Any],
    y1: np.ndarray[Any, Any],
) -> None:
    """The words of the counters `x0`, `x1`, written into `y0` and `y1`."""
    keys = (k0, k1, k0 ^ k1 ^ np.uint32(PARITY))
    spare = np.empty_like(y0)
    np.add(x0, k0, out=y0)
    np.add(x1, k1, out=y1)
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            np.add(y0, y1, out=y0)
            np.left_shift(y1, np.uint32(rotation), out=spare)
            np.right_shift(y1, np.uint32(32 - rotation), out=y1)
            np.bitwise_or(y1, spare, out=y1)
            np.bitwise_xor(y1, y0, out=y1)
        np.add(y0, keys[(group + 1) % 3], out=y0)
        np.add(y1, keys[(group + 2) % 3], out=y1)
        np.add(y1, np.uint32(group + 1), out=y1)


def _draw_words(rng: Any, dtype: Any) -> Any:
    shape = ((), (7,), (3, 0), (2, 19), (9000,))[rng.integers(5)]
    words = [rng.integers(0, 2**32, shape, dtype=np.uint32) for _ in range(4)]
    return [np.asarray(w) for w in words], {}


threefry2x32 = define(
    "threefry2x32",
    abstract_eval=_threefry_aval,
    impl=_threefry_impl,
    jvp=constant,
    transpose=Absent("bits have no derivative"),
    batch=elementwise,
    lower=Map("threefry2x32"),
    domain=Domain(draw=_draw_words, dtypes=("uint32",)),
    multiple_results=True,
)
