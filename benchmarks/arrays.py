"""Operations on whole arrays: products, convolutions, moves, sorting, random numbers.

Each is written once, for a library's namespace; NumPy runs it too where it can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

PRODUCTS = "Products of matrices"
CONVOLUTIONS = "Convolutions"
MOVES = "Moves and reductions"
ORDER = "Order and places"
RANDOM = "Random numbers"


@dataclass(frozen=True)
class Workload:
    """A function of a library, and what it is given.

    Attributes:
        group, title: where it stands in the report, and its name there.
        make: from a library (`np`, `lax` and `root`) to a function of arrays.
        shapes: of the arguments, drawn from a normal distribution; or the arguments themselves.
        numpy: the same in NumPy, None where it has no such function.
        least: how many times faster than the fastest other library xform is to be.
    """

    group: str
    title: str
    make: Callable[[Any], Callable[..., Any]]
    shapes: Sequence[Any]
    numpy: Callable[..., Any] | None = None
    least: float = 1.0

    def arguments(self) -> list[np.ndarray]:
        """Drawn anew from the same seed each time."""
        rng = np.random.default_rng(0)
        return [
            rng.normal(size=s).astype(np.float32) if isinstance(s, tuple) else np.asarray(s)
            for s in self.shapes
        ]


def _product(left: str, right: str, *sizes: int) -> Workload:
    m, n, k = sizes
    shapes = ((k, m) if left else (m, k), (n, k) if right else (k, n))
    turned = {"": lambda x: x, "T": lambda x: x.T}

    def multiply(a, b):
        return turned[left](a) @ turned[right](b)

    title = f"{m} x {k} by {k} x {n}" + (f", {left or right} first" if left else "")
    return Workload(PRODUCTS, title, lambda lib: multiply, shapes, multiply)


def _convolution(title: str, image: Any, kernel: Any, stride: int, groups: int = 1) -> list:
    numbers = ("NHWC", "HWIO", "NHWC")

    def forward(library):
        return lambda x, w: library.lax.conv_general_dilated(
            x, w, (stride, stride), "SAME", dimension_numbers=numbers, feature_group_count=groups
        )

    def gradient(library):
        apply = forward(library)
        return library.root.grad(lambda x, w: library.np.sum(apply(x, w) ** 2), (0, 1))

    return [
        Workload(CONVOLUTIONS, title, forward, (image, kernel)),
        Workload(CONVOLUTIONS, f"{title}, gradients", gradient, (image, kernel)),
    ]


MANY = 1_000_000
PLACES = np.random.default_rng(1).integers(0, MANY, MANY).astype(np.int32)
BINS = PLACES % 1000
ROWS = np.random.default_rng(2).integers(0, 16384, 16384).astype(np.int32)


KEY = np.array([7, 11], np.uint32)


def _drawn(draw: Callable[[Any, Any], Any]) -> Callable[[Any], Callable[..., Any]]:
    def make(library):
        random = library.root.random
        return lambda key, *xs: draw(random, random.wrap_key_data(key), *xs)

    return make


WORKLOADS = [
    _product("", "", 512, 512, 512),
    _product("", "", 64, 64, 64),
    _product("", "", 8, 512, 512),
    _product("T", "", 784, 512, 128),
    _product("", "T", 128, 784, 512),
    Workload(
        PRODUCTS,
        "96 of 128 x 64 by 64 x 128",
        lambda lib: lambda a, b: lib.np.einsum("bik,bjk->bij", a, b),
        ((96, 128, 64), (96, 128, 64)),
        lambda a, b: a @ b.swapaxes(1, 2),
    ),
    *_convolution("3 x 3, 64 to 64, 8 x 56 x 56", (8, 56, 56, 64), (3, 3, 64, 64), 1),
    *_convolution("7 x 7 by 2, 3 to 64, 2 x 224 x 224", (2, 224, 224, 3), (7, 7, 3, 64), 2),
    *_convolution("3 x 3 depthwise, 64, 8 x 56 x 56", (8, 56, 56, 64), (3, 3, 1, 64), 1, 64),
    Workload(MOVES, "concatenation of 3 x 1e6, one backwards",
             lambda lib: lambda x: lib.np.concatenate([x, x[::-1], x]), ((MANY,),),
             lambda x: np.concatenate([x, x[::-1], x])),
    Workload(MOVES, "padding of 1000 x 1000", lambda lib: lambda x: lib.np.pad(x, 3),
             ((1000, 1000),), lambda x: np.pad(x, 3)),
    Workload(MOVES, "roll of 1e6", lambda lib: lambda x: lib.np.roll(x, 1234), ((MANY,),),
             lambda x: np.roll(x, 1234)),
    Workload(MOVES, "selection from 2 x 1e6",
             lambda lib: lambda x, y: lib.np.where(x > 0, x, y), ((MANY,), (MANY,)),
             lambda x, y: np.where(x > 0, x, y)),
    Workload(MOVES, "largest of 1e6", lambda lib: lambda x: x.max(), ((MANY,),), np.max),
    Workload(MOVES, "variance of columns, 1000 x 1000", lambda lib: lambda x: x.var(0),
             ((1000, 1000),), lambda x: x.var(0)),
    Workload(MOVES, "x backwards times x, 1e6", lambda lib: lambda x: (x * x[::-1]).sum(),
             ((MANY,),), lambda x: (x * x[::-1]).sum()),
    Workload(ORDER, "sort 1e6", lambda lib: lib.np.sort, ((MANY,),), np.sort),
    Workload(ORDER, "argsort 1e6", lambda lib: lib.np.argsort, ((MANY,),),
             lambda x: np.argsort(x, kind="stable")),
    Workload(ORDER, "median of 1e6", lambda lib: lib.np.median, ((MANY,),), np.median),
    Workload(ORDER, "cumulative sum of 1e6", lambda lib: lib.np.cumsum, ((MANY,),), np.cumsum),
    Workload(ORDER, "1e6 elements by index", lambda lib: lambda x, i: x[i], ((MANY,), PLACES),
             lambda x, i: x[i]),
    Workload(ORDER, "1e6 added to 1000 places",
             lambda lib: lambda x, i: lib.np.zeros(1000, "float32").at[i].add(x), ((MANY,), BINS),
             None),
    Workload(ORDER, "16384 rows of 64 by index", lambda lib: lambda x, i: x[i],
             ((16384, 64), ROWS), lambda x, i: x[i]),
    Workload(ORDER, "1e6 by bisection in 1000",
             lambda lib: lambda x, y: lib.np.searchsorted(lib.np.sort(y), x), ((MANY,), (1000,)),
             lambda x, y: np.searchsorted(np.sort(y), x)),
    Workload(RANDOM, "uniform, 1e6", _drawn(lambda r, key: r.uniform(key, (MANY,))), (KEY,)),
    Workload(RANDOM, "normal, 1e6", _drawn(lambda r, key: r.normal(key, (MANY,))), (KEY,)),
    Workload(RANDOM, "permutation of 1e6", _drawn(lambda r, key, x: r.permutation(key, x)),
             (KEY, (MANY,))),
]  # fmt: skip
