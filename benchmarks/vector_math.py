"""Speed of the scalar formulas in vector loops, beside other libraries.

Run from the repository root, on a core of its own:

    taskset -c 1 python -m benchmarks.vector_math [--library PATH ...] [function ...]

Prints elements per nanosecond for 16384 elements (in cache), output allocated beforehand, and the
time to compile the loop. Beside it are NumPy or SciPy, JAX and Numba where they are installed, the
C library's vectors (libmvec) where there are some, and any of `--library`: Intel's libsvml.so or a
library with the names of libmvec. All run in turns, and the best of their times counts.

    benchmarks.vector_math --table

prints the rows of the table in docs/design/12-vector-math.md: own speed, and in per cent of the
fastest other.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import importlib.util
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.special

from xform._kernels import builder, scalar
from xform.compiler.target import host
from xform.runtime.engine import Library, link

COUNT = 16384
REPEATS = 60
DTYPES = ("float32", "float64")
Run = Callable[[], object]


@dataclass(frozen=True)
class Function:
    """Where the first argument is drawn, NumPy's or SciPy's function, and the names in jax and math
    and in C; the second argument is drawn from [-3, 3].
    """

    interval: tuple[float, float]
    numpy: Callable[..., np.ndarray]
    arguments: int = 1
    jax: str = ""
    math: str = ""
    c: str = ""


def inverse_root(x: np.ndarray, out: np.ndarray) -> np.ndarray:
    """1 / sqrt(x)."""
    return np.divide(1, np.sqrt(x, out=out), out=out)


FUNCTIONS = {
    "add": Function((-2, 2), np.add, 2, "numpy.add"),
    "div": Function((-2, 2), np.divide, 2, "numpy.divide"),
    "max": Function((-2, 2), np.maximum, 2, "numpy.maximum"),
    "rem": Function((-9, 9), np.fmod, 2, "lax.rem"),
    "sqrt": Function((0, 9), np.sqrt, 1, "lax.sqrt", "sqrt"),
    "rsqrt": Function((0.1, 9), inverse_root, 1, "lax.rsqrt", "", "rsqrt"),
    "cbrt": Function((-9, 9), np.cbrt, 1, "lax.cbrt", "", "cbrt"),
    "exp": Function((-5, 5), np.exp, 1, "lax.exp", "exp", "exp"),
    "exp2": Function((-5, 5), np.exp2, 1, "lax.exp2", "exp2", "exp2"),
    "expm1": Function((-5, 5), np.expm1, 1, "lax.expm1", "expm1", "expm1"),
    "log": Function((0.1, 9), np.log, 1, "lax.log", "log", "log"),
    "log2": Function((0.1, 9), np.log2, 1, "numpy.log2", "log2", "log2"),
    "log1p": Function((-0.9, 9), np.log1p, 1, "lax.log1p", "log1p", "log1p"),
    "pow": Function((0.1, 9), np.power, 2, "lax.pow", "pow", "pow"),
    "tanh": Function((-3, 3), np.tanh, 1, "lax.tanh", "tanh", "tanh"),
    "logistic": Function((-5, 5), scipy.special.expit, 1, "lax.logistic"),
    "sin": Function((-9, 9), np.sin, 1, "lax.sin", "sin", "sin"),
    "cos": Function((-9, 9), np.cos, 1, "lax.cos", "cos", "cos"),
    "tan": Function((-9, 9), np.tan, 1, "lax.tan", "tan", "tan"),
    "asin": Function((-1, 1), np.arcsin, 1, "lax.asin", "asin", "asin"),
    "acos": Function((-1, 1), np.arccos, 1, "lax.acos", "acos", "acos"),
    "atan": Function((-3, 3), np.arctan, 1, "lax.atan", "atan", "atan"),
    "atan2": Function((-3, 3), np.arctan2, 2, "lax.atan2", "atan2", "atan2"),
    "sinh": Function((-3, 3), np.sinh, 1, "lax.sinh", "sinh", "sinh"),
    "cosh": Function((-3, 3), np.cosh, 1, "lax.cosh", "cosh", "cosh"),
    "asinh": Function((-3, 3), np.arcsinh, 1, "lax.asinh", "asinh", "asinh"),
    "acosh": Function((1, 9), np.arccosh, 1, "lax.acosh", "acosh", "acosh"),
    "atanh": Function((-0.99, 0.99), np.arctanh, 1, "lax.atanh", "atanh", "atanh"),
    "erf": Function((-3, 3), scipy.special.erf, 1, "lax.erf", "erf", "erf"),
    "erfc": Function((-3, 3), scipy.special.erfc, 1, "lax.erfc", "erfc", "erfc"),
    "erf_inv": Function((-0.99, 0.99), scipy.special.erfinv, 1, "lax.erf_inv", "", "erfinv"),
    "lgamma": Function((0.1, 9), scipy.special.gammaln, 1, "lax.lgamma", "lgamma", "lgamma"),
    "digamma": Function((0.1, 9), scipy.special.psi, 1, "lax.digamma"),
}
Apply = Callable[[builder.Builder, Sequence[builder.Value]], builder.Value]


def loop_text(apply: Apply, dtype: str, arguments: int) -> str:
    """The module of `void k(ptr inputs..., ptr output, i64 n)` in full registers."""
    target = host()
    b = builder.Builder(fused=target.has_fma, vector_bytes=target.vector_bytes)
    element, lanes = scalar.element(dtype), lanes_of(dtype)
    names = [f"%p{k}" for k in range(arguments + 1)]
    pointers = [builder.Value(b, text, "ptr", 1, 0) for text in names]
    with b.loop(builder.Value(b, "%n", "i64", 1, 0), step=lanes) as loop:
        addresses = [b.pointer(pointer, element, loop.index) for pointer in pointers]
        operands = [b.load(element, address, lanes) for address in addresses[:-1]]
        b.store(apply(b, operands), addresses[-1])
        loop.carry()
    parameters = ", ".join(f"ptr noalias {text}" for text in names)
    head = f'define void @k({parameters}, i64 %n) "prefer-vector-width"="512"'
    declarations = "\n".join(sorted(b.declarations))
    return f"{head} {{\nentry:\n{b.body()}\n  ret void\n}}\n{declarations}\n"


def lanes_of(dtype: str) -> int:
    return host().vector_bytes // scalar.storage_bytes(dtype)


def own_loop(name: str, dtype: str) -> tuple[Library, float]:
    """The linked loop of a formula, and the seconds it took to write, compile and link it."""
    start_s = time.perf_counter()
    arguments = FUNCTIONS[name].arguments
    text = loop_text(lambda b, x: scalar.apply(b, name, dtype, x, {})[0], dtype, arguments)
    library = link(host().object_code(text), ["k"])
    return library, time.perf_counter() - start_s


def library_loop(path: str, name: str, dtype: str) -> Library | None:
    """The loop of a function of a C library of vectors; None where it has none."""
    function = FUNCTIONS[name]
    lanes, single = lanes_of(dtype), dtype == "float32"
    if "svml" in path:
        c = {"rsqrt": "invsqrt"}.get(function.c, function.c)
        symbol = f"__svml_{c}{'f' if single else ''}{lanes}"
    else:
        width = {16: "b", 32: "d", 64: "e"}[host().vector_bytes]
        c = function.c + ("f" if single else "")
        symbol = f"_ZGV{width}N{lanes}{'v' * function.arguments}_{c}"
    library = ctypes.CDLL(path)
    if not function.c or not hasattr(library, symbol):
        return None
    address = ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value
    assert address is not None

    def apply(b: builder.Builder, x: Sequence[builder.Value]) -> builder.Value:
        kind, element = x[0].type, x[0].element
        b.declarations.add(f"declare {kind} @vector_function({', '.join([kind] * len(x))})")
        given = ", ".join(f"{kind} {each.name}" for each in x)
        return b.define(element, lanes, f"call {kind} @vector_function({given})", x)

    text = loop_text(apply, dtype, function.arguments)
    return link(host().object_code(text), ["k"], {"vector_function": address})


def run_of(library: Library, arrays: Sequence[np.ndarray]) -> Run:
    """A call of a loop on arrays."""
    types = [ctypes.c_void_p] * len(arrays)
    function = ctypes.CFUNCTYPE(None, *types, ctypes.c_int64)(library["k"])
    addresses = [array.ctypes.data for array in arrays]

    def run(keep: Library = library) -> None:
        function(*addresses, COUNT)

    return run


def jax_run(name: str, arrays: Sequence[np.ndarray]) -> Run:
    """JAX's function under jit, waited for."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    module, attribute = FUNCTIONS[name].jax.split(".")
    compiled = jax.jit(getattr(importlib.import_module(f"jax.{module}"), attribute))
    given = [jax.device_put(array) for array in arrays[:-1]]
    return lambda: compiled(*given).block_until_ready()


def numba_run(name: str, arrays: Sequence[np.ndarray]) -> Run:
    """A loop over Python's function, by Numba."""
    numba = importlib.import_module("numba")
    function = getattr(math, FUNCTIONS[name].math)
    if FUNCTIONS[name].arguments == 1:

        def loop(x, out):  # type: ignore[no-untyped-def]
            for i in range(x.size):
                out[i] = function(x[i])
    else:

        def loop(x, y, out):  # type: ignore[no-untyped-def]
            for i in range(x.size):
                out[i] = function(x[i], y[i])

    compiled = numba.njit(loop)
    return lambda: compiled(*arrays)


def others(name: str, arrays: Sequence[np.ndarray], paths: Sequence[str]) -> dict[str, Run]:
    """The same function elsewhere, by the name of the library."""
    function = FUNCTIONS[name]
    dtype = str(arrays[0].dtype)
    found: dict[str, Run] = {"numpy": lambda: function.numpy(*arrays[:-1], out=arrays[-1])}
    if function.jax and importlib.util.find_spec("jax") is not None:
        found["jax"] = jax_run(name, arrays)
    if function.math and importlib.util.find_spec("numba") is not None:
        found["numba"] = numba_run(name, arrays)
    for path in paths:
        library = library_loop(path, name, dtype)
        if library is not None:
            found[path.split("/")[-1].split(".")[0]] = run_of(library, arrays)
    return found


def measure(name: str, dtype: str, paths: Sequence[str]) -> tuple[dict[str, float], float]:
    """Elements per nanosecond by library, "own" among them, and the seconds to compile the own."""
    function = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(*function.interval, COUNT).astype(dtype)]
    arrays += [rng.uniform(-3, 3, COUNT).astype(dtype) for _ in range(function.arguments - 1)]
    arrays.append(np.empty(COUNT, dtype))
    library, compile_s = own_loop(name, dtype)
    runs = {"own": run_of(library, arrays)} | others(name, arrays, paths)
    best = dict.fromkeys(runs, math.inf)
    for _ in range(REPEATS):
        for key, run in runs.items():
            start = time.perf_counter()
            run()
            best[key] = min(best[key], time.perf_counter() - start)
    return {key: COUNT / seconds * 1e-9 for key, seconds in best.items()}, compile_s


def libraries(paths: Sequence[str]) -> list[str]:
    """Those that are named, and the C library's vectors where it has some."""
    try:
        ctypes.CDLL("libmvec.so.1")
    except OSError:
        return list(paths)
    return ["libmvec.so.1", *paths]


def line(name: str, measured: Sequence[tuple[dict[str, float], float]]) -> Iterator[str]:
    """The columns of one function."""
    yield f"{name:10s}"
    for speeds, compile_s in measured:
        each = " ".join(f"{key} {speed:5.2f}" for key, speed in speeds.items())
        yield f"{compile_s * 1e3:5.1f} ms  {each}"


def table_line(name: str, measured: Sequence[tuple[dict[str, float], float]]) -> Iterator[str]:
    """The columns of one function in the design note."""
    yield f"| {name}"
    for speeds, _ in measured:
        rest = {key: speed for key, speed in speeds.items() if key != "own"}
        best = max(rest, key=lambda key: rest[key])
        yield f"{speeds['own']:.2f} | {100 * speeds['own'] / rest[best]:.0f} % of {best}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("functions", nargs="*", metavar="function")
    parser.add_argument("--library", action="append", default=[], help="a C library of vectors")
    parser.add_argument("--table", action="store_true", help="print rows for the design note")
    options = parser.parse_args()
    paths = libraries(options.library)
    with np.errstate(all="ignore"):
        for name in options.functions or FUNCTIONS:
            measured = [measure(name, dtype, paths) for dtype in DTYPES]
            if options.table:
                print(" | ".join(table_line(name, measured)) + " |", flush=True)
            else:
                print(" | ".join(line(name, measured)), flush=True)


if __name__ == "__main__":
    main()
