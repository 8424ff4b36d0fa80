"""The current trace: who interprets `bind`.

One context variable holds the current trace. A transformation makes a trace whose parent is the
current one, makes it current while the user's function runs, and its rules run with the parent
current. There are no levels: a tracer belongs to a trace object, and a tracer whose trace is
neither current nor an ancestor of the current one has leaked.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextvars import ContextVar, Token
from typing import Any, NoReturn

import numpy as np

from .. import errors
from . import dtypes
from .avals import ShapedArray
from .jaxpr import Literal


class Trace:
    """An interpreter of `bind`. Subclasses define `process`."""

    __slots__ = ("parent",)

    parent: Trace | None

    @property
    def axes(self) -> tuple[tuple[Hashable, int], ...]:
        """The named axes, with their sizes, that this trace brings into scope."""
        return ()

    def __init__(self, parent: Trace | None) -> None:
        self.parent = parent

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        """The value (or list of values, for several results) of a primitive under this trace."""
        raise NotImplementedError


class Tracer:
    """A value inside a transformation. The faces attach the operators and methods of arrays."""

    __slots__ = ("__weakref__", "aval", "owner")

    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, trace: Trace, aval: ShapedArray) -> None:
        self.owner = trace
        self.aval = aval

    @property
    def shape(self) -> tuple[int, ...]:
        return self.aval.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        return self.aval.ndim

    @property
    def size(self) -> int:
        return self.aval.size

    @property
    def weak_type(self) -> bool:
        return self.aval.weak_type

    @property
    def itemsize(self) -> int:
        return self.aval.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.aval.nbytes

    def concrete(self) -> Any:
        """The value when it is known while tracing, else None."""
        return None

    def origin(self) -> str:
        """How the value came to be, for errors."""
        return f"a traced value of type {self.aval}"

    def __len__(self) -> int:
        return len(self.aval)

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.aval}>"

    def __format__(self, spec: str) -> str:
        known = self.concrete()
        return repr(self) if known is None else format(known, spec)

    def __bool__(self) -> bool:
        known = self.concrete()
        if known is None:
            self._refuse(
                errors.TracerBoolConversionError,
                "a value known while tracing, where Python asks for True or False",
                "xnp.where(condition, a, b) or xform.lax.cond(condition, f, g, *operands)",
            )
        return bool(known)

    def __int__(self) -> int:
        return int(
            self._scalar(
                "int", "x.astype(int), or mark the argument static: jit(f, static_argnums=...)"
            )
        )

    def __float__(self) -> float:
        return float(
            self._scalar("float", "x.astype(float); outside of jit, call float(...) on the result")
        )

    def __complex__(self) -> complex:
        return complex(self._scalar("complex", "x.astype(complex)"))

    def __index__(self) -> int:
        known = self.concrete()
        if known is None:
            self._refuse(
                errors.TracerIntegerConversionError,
                "an integer known while tracing (a shape, a range, a list index)",
                "jit(f, static_argnums=...) to make the argument static, or xnp.asarray(items)[i] "
                "to index",
            )
        return known.__index__()  # type: ignore[no-any-return]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        known = self.concrete()
        if known is None:
            self._refuse(
                errors.TracerArrayConversionError,
                "an array with numbers in it",
                "the function of the same name in xform.numpy; it traces",
            )
        return np.asarray(known, dtype=dtype)

    def _scalar(self, kind: str, instead: str) -> Any:
        known = self.concrete()
        if known is None:
            self._refuse(
                errors.ConcretizationTypeError,
                f"a value known while tracing, where Python asks for {kind}",
                instead,
            )
        return known

    def _refuse(self, kind: type[errors.XformError], expected: str, instead: str) -> NoReturn:
        raise kind(
            f"expected {expected}",
            self.origin(),
            why="a traced value stands for every value of its shape and dtype; its numbers come "
            "later",
            instead=instead,
        )


class Base(Trace):
    """The bottom of every stack: eager evaluation on arrays that hold numbers.

    The layers above hand in what the core must not import: `interpreters.evaluate` how to evaluate,
    and `runtime.eager` the array type with its constructor and its NumPy view, and how to run one
    operator compiled.
    """

    __slots__ = ("array_type", "evaluate", "run_compiled", "view", "wrap")

    evaluate: Callable[[Any, Sequence[Any], dict[str, Any]], Any]
    run_compiled: Callable[[Any, Sequence[Any], dict[str, Any]], list[Any]]
    array_type: Any
    wrap: Callable[[np.ndarray[Any, Any], ShapedArray], Any]
    view: Callable[[Any], np.ndarray[Any, Any]]

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        return self.evaluate(primitive, args, params)


BASE = Base(None)

_current: ContextVar[Trace] = ContextVar("xform_current_trace", default=BASE)

current_trace: Callable[[], Trace] = _current.get


class active:
    """Makes a trace current for the block."""

    __slots__ = ("token", "trace")

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __enter__(self) -> Trace:
        self.token: Token[Trace] = _current.set(self.trace)
        return self.trace

    def __exit__(self, *exc: object) -> None:
        _current.reset(self.token)


def is_within(trace: Trace, outer: Trace) -> bool:
    """Whether `outer` is `trace` or one of its ancestors."""
    at: Trace | None = trace
    while at is not None:
        if at is outer:
            return True
        at = at.parent
    return False


def leaked(tracer: Tracer) -> errors.UnexpectedTracerError:
    """The error for a tracer used where its transformation is no longer running."""
    return errors.UnexpectedTracerError(
        "expected a value that lives as long as the function it is used in",
        tracer.origin(),
        why="it was kept from inside a transformed function (in a global, an attribute or a list) "
        "and used after that function returned, or in another transformation",
        instead="return the value from the function, and pass it on as an argument",
    )


def aval_of(x: Any) -> ShapedArray:
    """The abstract value of what operators take: tracers, arrays, NumPy arrays, Python scalars.

    NumPy's 64-bit values count as what `narrowed` makes of them; Python scalars are weakly typed.
    """
    if isinstance(x, Tracer | Literal) or type(x) is BASE.array_type:
        return x.aval  # type: ignore[no-any-return]
    if isinstance(x, np.ndarray | np.generic):
        return ShapedArray(x.shape, dtypes.canonicalize(dtypes.check_user_dtype(x.dtype)))
    if isinstance(x, bool | int | float | complex):
        return ShapedArray((), dtypes.scalar_dtype(type(x)), True)
    raise errors.ArgumentError(
        "expected an array, a number, or a pytree of them",
        f"{type(x).__name__}: {_shorten(repr(x))}",
        instead="mark it static (jit(f, static_argnums=...)), close over it, or convert it with "
        "xnp.asarray",
    )


def _shorten(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
