"""Formulas as functions of their own, for code that applies one many times."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from ..builder import Builder, Value
from ..literals import vector_type


def outlined(
    builder: Builder,
    apply: Callable[..., tuple[Value, ...]],
    name: str,
    dtype: str,
    operands: Sequence[Value],
    params: Mapping[str, object],
) -> Value:
    """One operator with one result, as a call of a function that holds its formula.

    The text of the function is entered in the builder's module-level declarations, once. A call
    costs a few moves; what it saves is compiling the formula again. The module must define the
    attributes `#0`.
    """
    lanes = max(x.lanes for x in operands)
    key = (name, dtype, lanes, tuple(x.element for x in operands), tuple(params.items()))
    if key not in builder.functions:
        builder.functions[key] = _written(builder, apply, name, dtype, operands, params)
    function, element = builder.functions[key]
    returns = vector_type(element, lanes)
    given = [builder.splat(x, lanes) for x in operands]
    arguments = ", ".join(f"{x.type} {x.name}" for x in given)
    return builder.define(element, lanes, f"call {returns} @{function}({arguments})", given)


def _written(
    builder: Builder,
    apply: Callable[..., tuple[Value, ...]],
    name: str,
    dtype: str,
    operands: Sequence[Value],
    params: Mapping[str, object],
) -> tuple[str, str]:
    """Enters the function in the declarations; its name, and the element type of its result."""
    lanes = max(x.lanes for x in operands)
    inner = Builder(fused=builder.fused, vector_bytes=builder.vector_bytes)
    inputs = [Value(inner, f"%x{k}", x.element, lanes, 0) for k, x in enumerate(operands)]
    (result,) = apply(inner, name, dtype, inputs, params)
    result = inner.splat(result, lanes)
    parameters = ", ".join(f"{x.type} {x.name}" for x in inputs)
    body = f"({parameters}) #0 {{\nentry:\n{inner.body()}\n  ret {result.type} {result.name}\n}}"
    function = f"{name}_" + hashlib.sha256(body.encode()).hexdigest()[:12]
    builder.declarations |= inner.declarations
    builder.declarations.add(f"define internal {result.type} @{function}{body}")
    return function, result.element
