"""The row of an operator: everything xform knows of it, complete at birth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import errors
from . import effects as fx
from .avals import ShapedArray
from .jaxpr import subprograms
from .trace import current_trace

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Absent:
    """A rule that is missing on purpose. Its use raises the reason."""

    reason: str


class Linear:
    """`jvp=linear`: linear in all inputs together; the tangent is the operator itself."""

    def __repr__(self) -> str:
        return "linear"


class Multilinear:
    """`jvp=multilinear`: linear in each input by itself, as a product is."""

    def __repr__(self) -> str:
        return "multilinear"


class Constant:
    """`jvp=constant`: piecewise constant or discrete; the tangent is zero."""

    def __repr__(self) -> str:
        return "constant"


class Elementwise:
    """`batch=elementwise`: a batch is one more dimension, in the same place for all inputs."""

    def __repr__(self) -> str:
        return "elementwise"


@dataclass(frozen=True)
class AlongAxis:
    """`batch=along_axis("axis")`: a batch shifts the axis or axes that the parameters name."""

    params: tuple[str, ...]


linear = Linear()
multilinear = Multilinear()
constant = Constant()
elementwise = Elementwise()


def along_axis(*params: str) -> AlongAxis:
    """The batch rule that shifts the axes in these parameters."""
    return AlongAxis(params)


@dataclass(frozen=True)
class Custom:
    """`jvp=Custom(rule)`: `rule(primals, tangents, **params) -> (outputs, output tangents)`.

    For operators whose tangents do not come input by input; tangents may be `Zero`.
    """

    rule: Rule


@dataclass(frozen=True)
class Zero:
    """A tangent or cotangent known to be zero, never computed with."""

    aval: ShapedArray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.aval.shape

    @property
    def dtype(self) -> Any:
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        return self.aval.ndim


@dataclass(frozen=True)
class LinearInput:
    """Stands for an input that a transpose rule is asked the cotangent of."""

    aval: ShapedArray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.aval.shape

    @property
    def dtype(self) -> Any:
        return self.aval.dtype


Case = tuple[tuple[tuple[int, ...], ...], Mapping[str, Any]]


@dataclass(frozen=True)
class Domain:
    """Where laws draw inputs.

    `intervals`: one closed interval per input (the last one repeats). `cases`: input shapes and
    parameters, for operators that have parameters or mixed shapes; without cases, all inputs have
    equal shapes. `draw`: for what neither can say, `draw(rng, dtype) -> (inputs, params)`.
    `dtypes`: those the laws go through.
    """

    intervals: tuple[tuple[float, float], ...] = ((-2.0, 2.0),)
    cases: tuple[Case, ...] = ()
    draw: Callable[..., Any] | None = None
    dtypes: tuple[str, ...] = ("float32", "float64")
    devices: bool = False


# `compiled_from` of operators that take NumPy several times as long as a compiled loop, and of
# those that gain by threads or wider vectors only: the first call of a kind takes milliseconds.
SLOW_IN_NUMPY = 1 << 15
LONG = 1 << 19


@dataclass(frozen=True, eq=False, slots=True)
class Primitive:
    """One operator.

    Fields:
        name, params: identity, and the keyword-only parameters (hashable values).
        abstract_eval: (input avals..., **params) -> output aval, or a list of them for several
            results. The only place that rejects bad arguments.
        impl: (NumPy arrays..., **params) -> NumPy array(s): eager evaluation and reference
            semantics.
        jvp: `linear`, `multilinear`, `constant`, a tuple with one rule `(t, y, *xs, **params)` (or
            None for no derivative) per input, `Custom(rule)`, or `Absent`.
        transpose: (ct, *inputs, **params) -> one cotangent per input (None for inputs that are not
            `LinearInput`); for one input, the cotangent itself. Or `Absent`.
        batch: `elementwise`, `along_axis(...)`, or (size, inputs, dims, **params) -> (output, dim).
        lower: a loop shape of `core.loops`.
        domain, ulp, special: where laws draw, the accuracy promised, the edge values tested.
        partial: for operators that hold programs, what the partial evaluator does with some inputs
            unknown: (trace, inputs, unknown flags, **params) -> outputs.
        staged: for operators that hold Python functions, how they are staged: (trace, inputs,
            **params) -> outputs. Without it an equation is written.
        eager: (arrays..., **params) -> arrays: how it runs on numbers, where that is faster than
            `impl`; `impl` remains the meaning, and what `disable_jit` runs.
        compiled_from: from how many elements on, of an input or output, it is compiled for that
            instead; 0 for never.
        effects: what it does besides giving results, or a function of (effects of the programs in
            the parameters, **params) where that depends on them.
    """

    name: str
    params: tuple[str, ...]
    abstract_eval: Rule
    impl: Rule
    jvp: Any
    transpose: Rule | Absent
    batch: Any
    lower: Any
    domain: Domain = field(default_factory=Domain)
    ulp: float = 0.0
    special: tuple[float, ...] = ()
    multiple_results: bool = False
    partial: Rule | None = None
    staged: Rule | None = None
    eager: Rule | None = None
    compiled_from: int = 0
    effects: fx.Effects | Callable[..., fx.Effects] = fx.NONE

    def __post_init__(self) -> None:
        for rule in ("abstract_eval", "impl", "jvp", "transpose", "batch", "lower"):
            if getattr(self, rule) is None:
                raise errors.ArgumentError(
                    f"the row of {self.name!r} must have a rule {rule!r}",
                    "None",
                    instead=f'{rule}=..., or {rule}=Absent("why there is none")',
                )
        if isinstance(self.jvp, Linear | Multilinear) and isinstance(self.transpose, Absent):
            raise errors.ArgumentError(
                f"{self.name!r} is linear, so its row must have a transpose rule",
                f"Absent({self.transpose.reason!r})",
            )

    def bind(self, *args: Any, **params: Any) -> Any:
        """Applies the operator under the current trace."""
        return current_trace().process(self, args, params)

    __call__ = bind

    def rule(self, name: str) -> Any:
        """The rule of that name; an absent one raises its reason."""
        rule = getattr(self, name)
        if isinstance(rule, Absent):
            raise errors.AbsentRuleError(f"{self.name!r} has no {name} rule", why=rule.reason)
        return rule

    def __repr__(self) -> str:
        return self.name


def effects_of(primitive: Primitive, params: Mapping[str, Any]) -> fx.Effects:
    """The effects of an operator with these parameters."""
    inner = fx.NONE
    for program in subprograms(params):
        inner = inner | program.effects
    if callable(primitive.effects):
        return primitive.effects(inner, **params)
    return primitive.effects | inner


def infer(
    primitive: Primitive, avals: Sequence[ShapedArray], params: dict[str, Any]
) -> tuple[ShapedArray, ...]:
    """The output avals of an operator, remembered for each operator, input avals and parameters.

    Operators that hold programs are not remembered, so that their programs can be freed.
    """
    if primitive.partial is not None or primitive.staged is not None:
        return tuple(primitive.abstract_eval(*avals, **params))
    key = (primitive, *avals, *params.items()) if params else (primitive, *avals)
    found = _inferred.get(key)
    if found is None:
        out = primitive.abstract_eval(*avals, **params)
        found = tuple(out) if primitive.multiple_results else (out,)
        if len(_inferred) > _MOST_INFERRED:
            _inferred.clear()
        _inferred[key] = found
    return found


_inferred: dict[Any, tuple[ShapedArray, ...]] = {}
_MOST_INFERRED = 100_000


class Catalogue:
    """The set of rows. `define` makes a row and enters it; names are unique."""

    def __init__(self) -> None:
        self._rows: dict[str, Primitive] = {}

    def enter(self, row: Primitive) -> Primitive:
        if row.name in self._rows:
            raise errors.ArgumentError(f"a new operator needs a new name, got {row.name!r}")
        self._rows[row.name] = row
        return row

    def __getitem__(self, name: str) -> Primitive:
        return self._rows[name]

    def __iter__(self) -> Any:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)


catalogue = Catalogue()


def define(name: str, **fields: Any) -> Primitive:
    """A new row in the catalogue: `define("cumsum", params=("axis",), abstract_eval=..., ...)`."""
    return catalogue.enter(Primitive(name=name, **{"params": (), **fields}))
