"""Measures what repeats, in one process: writes the rows as JSON to the file it is given.

`run.py` starts it on one core, with one thread for every library.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import arrays as whole
import cases
import jax
import jax.lax
import jax.nn
import jax.numpy as jnp
import jax.random
import llvmlite
import loops
import numba
import numpy as np
from report import Row
from timing import median_once, medians

import xform
import xform.lax
import xform.nn
import xform.numpy as xnp
import xform.random

XFORM = cases.Library("xform", xform, xnp, xform.nn, xform.lax)
JAX = cases.Library("jax", jax, jnp, jax.nn, jax.lax)
LIBRARIES = (XFORM, JAX)

CALLS = "Calls"
COMPILING = "Compiling"
KERNELS = "Kernels"
GRADIENTS = "Gradients"
LOOPS = "Loops"
LOOP_GRADIENTS = "Gradients of loops"

# Numbers that make each compiled program a new one, so that no cache knows it.
SALTS = itertools.count(1)


def arrays(library: cases.Library, tree: Any) -> Any:
    """The leaves as arrays of a library."""
    return library.root.tree.map(library.np.asarray, tree)


def agree(found: Any, wanted: Any, rtol: float = 2e-4, atol: float = 2e-5) -> None:
    """Raises where the results of two libraries differ by more than single precision allows."""
    pairs = zip(jax.tree.leaves(wanted), xform.tree.leaves(found), strict=True)
    for theirs, ours in pairs:
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=rtol, atol=atol)


def calls() -> list[Row]:
    """What it costs to call at all."""
    x, y = (np.arange(8, dtype=np.float32) + n for n in range(2))
    leaves = cases.tree_of_leaves()
    jitted: dict[str, Callable] = {}
    mapped: dict[str, Callable] = {}
    eager: dict[str, Callable] = {"numpy": lambda: x + y}
    for library in LIBRARIES:
        a, b = arrays(library, (x, y))
        tree = arrays(library, leaves)
        add = library.root.jit(cases.add)
        scale = library.root.jit(cases.scale_leaves)
        agree(add(a, b), x + y)
        agree(scale(tree), cases.scale_leaves(leaves))
        jitted[library.name] = lambda add=add, a=a, b=b: add(a, b)
        mapped[library.name] = lambda scale=scale, tree=tree: scale(tree)
        eager[library.name] = lambda a=a, b=b: a + b
    found = medians(eager)
    return [
        Row(CALLS, "jit(f)(x, y), f32[8]", medians(jitted), least=30),
        Row(CALLS, "jit(f)(tree), 50 leaves in and out", medians(mapped), least=10),
        Row(CALLS, "x + y, f32[8], eager", found, least=5),
        Row(CALLS, "the same, 2 us more than NumPy", found, "numpy", least=1, allowance_s=2e-6),
    ]


def compile_time(library: cases.Library, make: Callable, arguments: Any, repeats: int = 5) -> float:
    """Seconds to trace and compile a program that was never seen; the median."""

    def once(_: int) -> float:
        function = library.root.jit(make(library, 1 + next(SALTS) / 1024))
        start = time.perf_counter()
        function.lower(*arguments).compile()
        return time.perf_counter() - start

    return median_once(once, repeats)


def compiling() -> list[Row]:
    """What it costs to trace and compile."""
    x = np.linspace(0.1, 2, 1000, dtype=np.float32)
    mlp = cases.mlp_arguments()
    programs = (
        ("50 elementwise operators", cases.elementwise_program, (x,)),
        ("training step of a network", cases.mlp_step, mlp),
        ("chain of 300 operators", cases.chain_program, (x,)),
    )
    rows = []
    for title, make, arguments in programs:
        results = [library.root.jit(make(library, 0.5))(*arguments) for library in LIBRARIES]
        agree(*results, rtol=1e-3, atol=1e-4)
        times = {library.name: compile_time(library, make, arguments) for library in LIBRARIES}
        rows.append(Row(COMPILING, title, times, least=2))
    return rows


def kernels() -> list[Row]:
    """Elementwise functions and reductions, compiled."""
    rng = np.random.default_rng(0)
    rows = []
    for kernel in cases.KERNELS:
        for shape in kernel.shapes:
            x = rng.normal(size=shape).astype(np.float32)
            functions = {"numba": lambda x=x, loop=kernel.loop: loop(x)}
            wanted = functions["numba"]()
            for library in LIBRARIES:
                function = library.root.jit(kernel.make(library))
                a = library.np.asarray(x)
                agree(function(a), wanted)
                functions[library.name] = lambda f=function, a=a, library=library: library.wait(
                    f(a)
                )
            size = " x ".join(map(str, shape))
            rows.append(
                Row(KERNELS, f"{kernel.title}, {size}", medians(functions), least=kernel.least)
            )
    return rows


def whole_arrays() -> list[Row]:
    """Each workload against the fastest of the other libraries."""
    rows = []
    for load in whole.WORKLOADS:
        given = load.arguments()
        functions: dict[str, Callable] = {}
        results = []
        if load.numpy is not None:
            functions["numpy"] = lambda load=load, given=given: load.numpy(*given)
        for library in LIBRARIES:
            function = library.root.jit(load.make(library))
            own = [library.np.asarray(x) for x in given]
            results.append(function(*own))
            functions[library.name] = lambda f=function, own=own, library=library: library.wait(
                f(*own)
            )
        for found, wanted in zip(*map(jax.tree.leaves, results), strict=True):
            largest = float(np.abs(np.asarray(wanted, np.float64)).max())
            np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4 * largest)
        times = medians(functions)
        best = min((name for name in times if name != "xform"), key=times.__getitem__)
        rows.append(Row(load.group, load.title, times, against=best, least=load.least))
    return rows


def gradients() -> list[Row]:
    """Reverse mode against JAX, and against the function itself."""
    arguments = cases.mlp_arguments()
    functions = {}
    results = []
    for library in LIBRARIES:
        function = library.root.jit(library.root.value_and_grad(cases.mlp_loss(library)))
        given = arrays(library, arguments)
        results.append(function(*given))
        functions[library.name] = lambda f=function, given=given, library=library: library.wait(
            f(*given)
        )
    agree(*results)
    sizes = "-".join(map(str, cases.LAYERS))
    title = f"value_and_grad of a network, {sizes}, batch {cases.BATCH}"
    rows = [Row(GRADIENTS, title, medians(functions, seconds=2), least=1)]

    x = xnp.asarray(np.random.default_rng(0).normal(size=100_000).astype(np.float32))
    chain = cases.fused_chain(XFORM)
    cheap = {
        "network": (cases.mlp_loss(XFORM), arrays(XFORM, arguments)),
        "elementwise chain, 100000": (lambda x: xnp.sum(chain(x)), (x,)),
    }
    for name, (function, given) in cheap.items():
        forward, backward = xform.jit(function), xform.jit(xform.grad(function))
        times = medians(
            {
                "xform": lambda f=backward, given=given: f(*given),
                "function": lambda f=forward, given=given: f(*given),
            }
        )
        rows.append(Row(GRADIENTS, f"grad(f) against f: {name}", times, "function", least=1 / 3.5))
    return rows


def loop_rows(only: str = "") -> list[Row]:
    """Loops and branches, and their gradients; in double precision unless arguments are not."""
    rows = []
    wide_numbers(True)
    for case in loops.CASES:
        if only in case.title:
            rows.append(loop_row(case, False))
            if case.moving:
                rows.append(loop_row(case, True))
    wide_numbers(False)
    return rows


def loop_compiling() -> list[Row]:
    """What it costs to trace and compile loops, and the gradient beside the loop itself."""
    wide_numbers(True)
    rows = []
    times: dict[tuple[str, bool], float] = {}
    for steps in (1_000, 100_000):
        make = loops.integration(steps)
        title = f"Runge-Kutta, {steps} steps"
        found = {
            library.name: fresh_time(library, make, False, (loops.START,)) for library in LIBRARIES
        }
        times[title, False] = found["xform"]
        rows.append(Row(COMPILING, title, found, least=1))
    found = {library.name: fresh_time(library, make, True, (loops.START,)) for library in LIBRARIES}
    rows.append(Row(COMPILING, f"gradient of {title}", found, least=1))
    against = {"xform": found["xform"], "function": times[title, False]}
    rows.append(Row(COMPILING, f"grad(f) against f: {title}", against, "function", least=1 / 3))
    wide_numbers(False)
    return rows


def fresh_time(
    library: cases.Library, make: Callable, backward: bool, arguments: Any, repeats: int = 5
) -> float:
    """Seconds to trace and compile a loop, or its gradient, that no cache knows."""

    def once(_: int) -> float:
        salt = 1 + next(SALTS) / 1024
        made = make(library)
        function = lambda *a: made(*a) * salt  # noqa: E731
        if backward:
            function = loops.gradient(library, function, len(arguments))
        jitted = library.root.jit(function)
        start = time.perf_counter()
        jitted.lower(*arguments).compile()
        return time.perf_counter() - start

    return median_once(once, repeats)


def wide_numbers(on: bool) -> None:
    """Switches both libraries to 64 bits, or back."""
    jax.config.update("jax_enable_x64", on)
    xform.config.update("enable_x64", on)


def loop_row(case: loops.LoopCase, backward: bool) -> Row:
    """One loop in both libraries, or its gradient."""
    functions = {}
    results = []
    for library in LIBRARIES:
        function = case.make(library)
        if backward:
            function = loops.gradient(library, function, case.moving)
        function = library.root.jit(function)
        given = arrays(library, case.arguments)
        results.append(function(*given))
        functions[library.name] = lambda f=function, given=given, library=library: library.wait(
            f(*given)
        )
    agree(*results)
    group, least = (LOOP_GRADIENTS, case.least_gradient) if backward else (LOOPS, case.least)
    return Row(group, case.title, medians(functions), least=least)


def main(path: str) -> None:
    """Measures everything and writes it to a file."""
    versions = {
        "xform": xform.__version__,
        "JAX": jax.__version__,
        "Numba": numba.__version__,
        "NumPy": np.__version__,
        "llvmlite": llvmlite.__version__,
        "Python": sys.version.split()[0],
    }
    rows = []
    with tempfile.TemporaryDirectory() as empty:
        xform.config.update("cache_dir", empty)
        for part in (calls, compiling, kernels, whole_arrays, gradients, loop_rows, loop_compiling):
            start = time.perf_counter()
            rows.extend(part())
            print(f"{part.__name__}: {time.perf_counter() - start:.0f} s", flush=True)
    record = {"versions": versions, "rows": [asdict(row) for row in rows]}
    Path(path).write_text(json.dumps(record), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
