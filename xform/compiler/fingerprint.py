"""A name for a program, the same in every process: its compiled code is found again by it."""

from __future__ import annotations

import enum
import functools
import hashlib
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.jaxpr import Jaxpr, Literal, Var
from ..core.primitive import Primitive

_OWN = __name__.partition(".")[0] + "."
_PACKAGE = Path(__file__).resolve().parents[1]
_KERNELS = (_PACKAGE / "kernels", _PACKAGE.parent / "kernels")


class _Unnamed(Exception):
    """A parameter that has no name outside of this process, such as a function."""


def fingerprint(program: Jaxpr, donated: Sequence[bool]) -> str | None:
    """A digest of a program; None where a parameter has no lasting name."""
    try:
        text = "\n".join(_lines(program, donated))
    except _Unnamed:
        return None
    return hashlib.sha256((own_version() + text).encode()).hexdigest()


def _lines(program: Jaxpr, donated: Sequence[bool]) -> list[str]:
    numbers: dict[Var, int] = {}

    def name(atom: Any) -> str:
        if isinstance(atom, Literal):
            return f"{np.asarray(atom.value).tobytes().hex()}:{atom.aval}"
        return f"v{numbers[atom]}"

    def define(var: Var) -> str:
        numbers[var] = len(numbers)
        return f"v{numbers[var]}:{var.aval}"

    lines = [" ".join(map(define, program.invars)), str(tuple(donated))]
    for e in program.equations:
        inputs = " ".join(map(name, e.inputs))
        params = " ".join(f"{k}={_text(v)}" for k, v in sorted(e.params.items()))
        outputs = " ".join(map(define, e.outputs))
        row = f"{e.primitive.name} {_loop(e.primitive)}"
        lines.append(f"{outputs} = {row} {params} {inputs}")
    lines.append(" ".join(map(name, program.outvars)))
    return lines


def _loop(primitive: Primitive) -> str:
    """The loop shape of a row. Functions of xform's own are known by name, others not at all."""
    loop = primitive.lower
    parts = [type(loop).__name__]
    for f in fields(loop):
        value = getattr(loop, f.name)
        if callable(value):
            if not str(value.__module__).startswith(_OWN):
                raise _Unnamed
            parts.append(value.__qualname__)
        else:
            parts.append(_text(value))
    return " ".join(parts)


def _text(value: Any) -> str:
    """A parameter by type and value."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return f"{type(value).__name__}:{value!r}"
    if isinstance(value, np.dtype):
        return f"dtype:{value}"
    if isinstance(value, np.generic):
        return f"{value.dtype}:{value.tobytes().hex()}"
    if isinstance(value, tuple):
        return "(" + ",".join(map(_text, value)) + ")"
    if isinstance(value, enum.Enum):
        return f"{type(value).__qualname__}.{value.name}"
    if isinstance(value, Jaxpr):
        return ";".join(_lines(value, ()))
    if is_dataclass(value) and not isinstance(value, type):
        inside = ",".join(_text(getattr(value, f.name)) for f in fields(value))
        return f"{type(value).__qualname__}({inside})"
    raise _Unnamed


@functools.cache
def own_version() -> str:
    """A digest of the installed source files: another version compiles anew."""
    folders = [_PACKAGE, *(k for k in _KERNELS if k.is_dir())]
    seen: list[str] = []
    for folder in folders:
        for file in sorted(folder.rglob("*.py")):
            stat = file.stat()
            seen.append(f"{file.relative_to(folder)}:{stat.st_size}:{stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()
