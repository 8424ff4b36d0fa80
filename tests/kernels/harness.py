"""Compiles one scalar operator into a loop over arrays, for the tests and the benchmark."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence

import ml_dtypes
import numpy as np

from xform._kernels import builder, scalar
from xform.compiler.target import Target, host
from xform.runtime.engine import link

Kernel = Callable[..., tuple[np.ndarray, ...]]

AVX2 = Target(host().triple, "x86-64-v3", "", 32, True)
BASELINE = Target(host().triple, "x86-64", "", 16, False)


def numpy_dtype(name: str) -> np.dtype:
    """The NumPy dtype of a dtype name, bfloat16 included."""
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def kernel_text(
    name: str,
    dtype: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    lanes: int,
    params: Mapping[str, object],
    target: Target,
) -> str:
    """The module of `void k(ptr inputs..., ptr outputs..., i64 n)`; n a multiple of the lanes."""
    b = builder.Builder(fused=target.has_fma, vector_bytes=target.vector_bytes)
    pointers = [builder.Value(b, f"%p{k}", "ptr", 1, 0) for k in range(len(inputs) + len(outputs))]
    count = builder.Value(b, "%n", "i64", 1, 0)
    with b.loop(count, step=lanes) as loop:
        operands = []
        for dtype_in, pointer in zip(inputs, pointers, strict=False):
            kind = scalar.element(dtype_in)
            operands.append(b.load(kind, b.pointer(pointer, kind, loop.index), lanes))
        results = scalar.apply(b, name, dtype, operands, params)
        for result, pointer in zip(results, pointers[len(inputs) :], strict=True):
            address = b.pointer(pointer, result.element, loop.index)
            b.store(b.splat(result, lanes), address)
        loop.carry()
    arguments = ", ".join([*(f"ptr noalias {p.name}" for p in pointers), "i64 %n"])
    attribute = '"prefer-vector-width"="512"' if target.vector_bytes == 64 else ""
    body = f"define void @k({arguments}) {attribute} {{\nentry:\n{b.body()}\n  ret void\n}}\n"
    return body + "\n".join(sorted(b.declarations)) + "\n"


def compile_kernel(
    name: str,
    dtype: str,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    *,
    operands: int = 1,
    lanes: int | None = None,
    params: Mapping[str, object] | None = None,
    target: Target | None = None,
) -> Kernel:
    """A function of arrays that runs one operator in a compiled loop.

    `inputs` and `outputs` are dtype names, by default `operands` times and once `dtype`; `lanes`
    defaults to a full vector register.
    """
    ins = tuple(inputs) if inputs is not None else (dtype,) * operands
    outs = tuple(outputs) if outputs is not None else (dtype,)
    machine = target or host()
    width = lanes or machine.vector_bytes // max(scalar.storage_bytes(d) for d in (*ins, *outs))
    text = kernel_text(name, dtype, ins, outs, width, params or {}, machine)
    library = link(machine.object_code(text), ["k"])
    pointers = (ctypes.c_void_p,) * (len(ins) + len(outs))
    function = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64)(library["k"])

    def run(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        size = arrays[0].size
        padded = max(1, -(-size // width)) * width
        given = []
        for array, dtype_in in zip(arrays, ins, strict=True):
            copy = np.ones(padded, numpy_dtype(dtype_in))
            copy[:size] = array.ravel()
            given.append(copy)
        results = [np.empty(padded, numpy_dtype(d)) for d in outs]
        function(*(a.ctypes.data for a in (*given, *results)), padded)
        return tuple(r[:size].reshape(arrays[0].shape) for r in results)

    run.library = library  # type: ignore[attr-defined]
    run.function = function  # type: ignore[attr-defined]
    return run
