"""Speed of the scalar formulas in vector loops, beside NumPy and SciPy.

Run from the repository root:

    python -m benchmarks.vector_math [function ...]

Prints elements per nanosecond for 16384 elements (in cache), output allocated beforehand, and the
time to compile the loop.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable

import numpy as np
import scipy.special

from xform._kernels import builder, scalar
from xform.compiler.target import host
from xform.runtime.engine import Library, link

COUNT = 16384
REPEATS = 60
# Function: (interval of the first argument, NumPy's or SciPy's function, number of arguments).
FUNCTIONS: dict[str, tuple[tuple[float, float], Callable[..., np.ndarray], int]] = {
    "add": ((-2, 2), np.add, 2),
    "div": ((-2, 2), np.divide, 2),
    "max": ((-2, 2), np.maximum, 2),
    "rem": ((-9, 9), np.fmod, 2),
    "sqrt": ((0, 9), np.sqrt, 1),
    "rsqrt": ((0.1, 9), lambda x, out: np.divide(1, np.sqrt(x, out=out), out=out), 1),
    "cbrt": ((-9, 9), np.cbrt, 1),
    "exp": ((-5, 5), np.exp, 1),
    "exp2": ((-5, 5), np.exp2, 1),
    "expm1": ((-5, 5), np.expm1, 1),
    "log": ((0.1, 9), np.log, 1),
    "log1p": ((-0.9, 9), np.log1p, 1),
    "pow": ((0.1, 9), np.power, 2),
    "tanh": ((-3, 3), np.tanh, 1),
    "logistic": ((-5, 5), scipy.special.expit, 1),
    "sin": ((-9, 9), np.sin, 1),
    "cos": ((-9, 9), np.cos, 1),
    "tan": ((-9, 9), np.tan, 1),
    "asin": ((-1, 1), np.arcsin, 1),
    "acos": ((-1, 1), np.arccos, 1),
    "atan": ((-3, 3), np.arctan, 1),
    "atan2": ((-3, 3), np.arctan2, 2),
    "sinh": ((-3, 3), np.sinh, 1),
    "cosh": ((-3, 3), np.cosh, 1),
    "asinh": ((-3, 3), np.arcsinh, 1),
    "acosh": ((1, 9), np.arccosh, 1),
    "atanh": ((-0.99, 0.99), np.arctanh, 1),
    "erf": ((-3, 3), scipy.special.erf, 1),
    "erfc": ((-3, 3), scipy.special.erfc, 1),
    "erf_inv": ((-0.99, 0.99), scipy.special.erfinv, 1),
    "lgamma": ((0.1, 9), scipy.special.gammaln, 1),
    "digamma": ((0.1, 9), scipy.special.psi, 1),
}


def loop_text(name: str, dtype: str, arguments: int, lanes: int) -> str:
    """The module of `void k(ptr inputs..., ptr output, i64 n)`."""
    b = builder.Builder(fused=host().has_fma, vector_bytes=host().vector_bytes)
    element = scalar.element(dtype)
    names = [f"%p{k}" for k in range(arguments + 1)]
    pointers = [builder.Value(b, text, "ptr", 1, 0) for text in names]
    with b.loop(builder.Value(b, "%n", "i64", 1, 0), step=lanes) as loop:
        addresses = [b.pointer(pointer, element, loop.index) for pointer in pointers]
        operands = [b.load(element, address, lanes) for address in addresses[:-1]]
        (result,) = scalar.apply(b, name, dtype, operands, {})
        b.store(result, addresses[-1])
        loop.carry()
    parameters = ", ".join(f"ptr noalias {text}" for text in names)
    head = f'define void @k({parameters}, i64 %n) "prefer-vector-width"="512"'
    declarations = "\n".join(sorted(b.declarations))
    return f"{head} {{\nentry:\n{b.body()}\n  ret void\n}}\n{declarations}\n"


def compiled(name: str, dtype: str, arguments: int) -> tuple[Library, float]:
    """The linked loop, and the seconds it took to write, compile and link it."""
    start_s = time.perf_counter()
    lanes = host().vector_bytes // scalar.storage_bytes(dtype)
    library = link(host().object_code(loop_text(name, dtype, arguments, lanes)), ["k"])
    return library, time.perf_counter() - start_s


def fastest_s(run: Callable[[], object]) -> float:
    """The shortest of many runs."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def measure(name: str, dtype: str) -> str:
    """Three columns for one function and dtype."""
    (low, high), reference, arguments = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    given = [rng.uniform(low, high, COUNT).astype(dtype)]
    given += [rng.uniform(-3, 3, COUNT).astype(dtype) for _ in range(arguments - 1)]
    output = np.empty(COUNT, dtype)
    library, compile_s = compiled(name, dtype, arguments)
    types = [ctypes.c_void_p] * (arguments + 1)
    function = ctypes.CFUNCTYPE(None, *types, ctypes.c_int64)(library["k"])
    addresses = [array.ctypes.data for array in (*given, output)]
    own_s = fastest_s(lambda: function(*addresses, COUNT))
    other_s = fastest_s(lambda: reference(*given, out=output))
    own, other = COUNT / own_s * 1e-9, COUNT / other_s * 1e-9
    return f"{own:7.2f} {other:7.2f} {compile_s * 1e3:7.1f}"


def main() -> None:
    """Prints the table."""
    print(f"{'':10s}|        float32          |        float64")
    print(f"{'':10s}|    own  numpy  compile  |    own  numpy  compile")
    print(f"{'':10s}|  el/ns  el/ns       ms  |  el/ns  el/ns       ms")
    with np.errstate(all="ignore"):
        for name in sys.argv[1:] or FUNCTIONS:
            columns = [measure(name, dtype) for dtype in ("float32", "float64")]
            print(f"{name:10s}| {columns[0]} | {columns[1]}")


if __name__ == "__main__":
    main()
