"""The functions of loops and branches as programs: traced, and their types compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import tree
from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.jaxpr import ClosedJaxpr, Jaxpr, hoist_constants
from ..core.source import name_of
from ..core.trace import aval_of
from ..errors import ArgumentError, DtypeError, ShapeError, TreeError
from ..interpreters.staging import stage
from ..numpy.promotion import join
from ..ops.structural import convert
from .operands import operand

_MOST_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Step:
    """A function of the user's, traced: its program, and the structure of what it returns."""

    closed: ClosedJaxpr
    out_tree: tree.TreeDef

    @property
    def consts(self) -> tuple[Any, ...]:
        """What the function closes over: the leading inputs of `program`."""
        return self.closed.consts

    @property
    def program(self) -> Jaxpr:
        """The program without constants."""
        return hoist_constants(self.closed.jaxpr)

    @property
    def out_avals(self) -> tuple[ShapedArray, ...]:
        """The types of the outputs, in the order of the leaves."""
        return self.closed.out_avals


def traced(
    fun: Callable[..., Any],
    in_tree: tree.TreeDef,
    avals: Sequence[ShapedArray],
    names: Sequence[str | None] | None = None,
) -> Step:
    """The program of a function whose arguments are the children of `in_tree`."""
    returned = []

    def flat(*leaves: Any) -> list[Any]:
        outputs, out_tree = tree.flatten(fun(*in_tree.unflatten(leaves)))
        returned.append(out_tree)
        return [operand(y) for y in outputs]

    closed = stage(flat, avals, name_of(fun), names)
    return Step(closed, returned[0])


def operands(value: Any) -> tuple[list[Any], tree.TreeDef]:
    """The leaves of a pytree as arrays and tracers, and its structure."""
    leaves, structure = tree.flatten(value)
    return [operand(x) for x in leaves], structure


def paths(value: Any, name: str) -> list[str]:
    """How to reach each leaf: `carry['w'][0]`."""
    return [name + tree.keystr(path) for path, _ in tree.flatten_with_path(value)[0]]


# -- carried values --------------------------------------------------------------------------------


def settled(
    step: Callable[[Sequence[ShapedArray]], Step], init: Sequence[Any], count: int
) -> tuple[list[Any], Step]:
    """Carried values that keep their types, and the traced step.

    A weakly typed value takes the dtype that the step gives it, and the step is traced again. This
    ends, as a value is promoted at most once for each dtype.
    """
    values = list(init)
    while True:
        avals = [aval_of(x) for x in values]
        found = step(avals)
        changed = False
        for k, (before, after) in enumerate(zip(avals, found.out_avals[:count], strict=False)):
            if not before.weak_type or before.shape != after.shape:
                continue
            dtype, weak = join((before, after))
            if (dtype, weak) != (before.dtype, True):
                values[k] = convert(values[k], dtype, weak)
                changed = True
        if not changed:
            return values, found


def check_structure(
    fun: Callable[..., Any], in_tree: tree.TreeDef, out_tree: tree.TreeDef, what: str = "carry"
) -> None:
    """Raises unless a step returns the carried values in the containers that it got."""
    if in_tree != out_tree:
        raise TreeError(
            f"expected {name_of(fun)} to return a {what} of the structure it was given: {in_tree}",
            f"{out_tree}",
            why="the values that a step returns are those that the next step is given",
            instead=f"return the {what} with the containers and keys of the initial one",
        )


def check_carry(
    fun: Callable[..., Any],
    names: Sequence[str],
    avals: Sequence[ShapedArray],
    out_avals: Sequence[ShapedArray],
) -> None:
    """Raises unless a step gives the carried values, which have these names, the types it got."""
    wrong = [
        (path, before, after)
        for path, before, after in zip(names, avals, out_avals, strict=True)
        if before.strong() is not after.strong()
    ]
    if not wrong:
        return
    lines = [f"{p} is {a} before the step and {b} after it" for p, a, b in wrong[:_MOST_SHOWN]]
    if len(wrong) > _MOST_SHOWN:
        lines[-1] += f", and {len(wrong) - _MOST_SHOWN} more like it"
    path, before, after = wrong[0]
    kind = DtypeError if before.shape == after.shape else ShapeError
    raise kind(
        f"expected {name_of(fun)} to return carried values of the types it was given",
        "\n".join(lines),
        why="the loop is one program for all steps, so a carried value keeps its shape and dtype",
        instead=_cure(path, before, after),
    )


def _cure(path: str, before: ShapedArray, after: ShapedArray) -> str:
    if before.shape != after.shape:
        if len(before.shape) < len(after.shape) and not before.shape:
            return f"start with {path} = xnp.full({after.shape}, value), or return a scalar"
        return f"start with {path} of shape {after.shape}, or return one of shape {before.shape}"
    joined, _ = dtypes.lattice_join((before.dtype, False), (after.dtype, False))
    back = f'return new.astype("{before.dtype}") for it'
    if joined != after.dtype:
        return back
    start = f"xnp.{after.dtype}(0)" if not before.shape else f'x.astype("{after.dtype}")'
    return f"start with {path} of dtype {after.dtype}, as {start} is; or {back}"


# -- branches and predicates -----------------------------------------------------------------------


def check_branches(labels: Sequence[str], steps: Sequence[Step]) -> None:
    """Raises unless all branches return the same structure and types."""
    first, step = labels[0], steps[0]
    for label, other in zip(labels[1:], steps[1:], strict=True):
        if other.out_tree != step.out_tree:
            raise TreeError(
                "expected branches that return values of one structure",
                f"{step.out_tree} from {first}\n{other.out_tree} from {label}",
                instead="return the same containers and keys from every branch",
            )
        skeleton = step.out_tree.unflatten(range(step.out_tree.num_leaves))
        for path, a, b in zip(
            paths(skeleton, "output"), step.out_avals, other.out_avals, strict=True
        ):
            if a.strong() is not b.strong():
                raise (DtypeError if a.shape == b.shape else ShapeError)(
                    "expected branches that return values of the same types",
                    f"{path} is {a} from {first} and {b} from {label}",
                    why="what follows is one program, whichever branch was taken",
                    instead=f'y.astype("{a.dtype}") in {label}, or another dtype in both'
                    if a.shape == b.shape
                    else f"values of one shape from both, such as xnp.broadcast_to(y, {a.shape})",
                )


def scalar_of(x: Any, what: str, instead: str) -> Any:
    """A predicate or index without dimensions; another raises."""
    if not hasattr(x, "dtype") and not isinstance(x, bool | int | float | complex):
        raise ArgumentError(f"expected {what}: a scalar", f"{type(x).__name__}: {x!r}")
    x = operand(x)
    if aval_of(x).shape:
        raise ShapeError(f"expected {what}: a scalar", f"{aval_of(x)}", instead=instead)
    return x


def check_predicate(fun: Callable[..., Any], step: Step) -> None:
    """Raises unless the condition of a loop returns one boolean without dimensions."""
    want = f"expected {name_of(fun)}, the condition of the loop, to return a boolean scalar"
    if step.out_tree.num_leaves != 1 or step.out_tree != tree.structure(0):
        raise TreeError(want, f"{step.out_tree}", instead="return carry[0] < limit")
    (aval,) = step.out_avals
    if aval.shape:
        raise ShapeError(
            want,
            f"{aval}",
            instead="xnp.any(condition), xnp.all(condition), or xform.vmap over the loop for one "
            "loop per element",
        )
    if not dtypes.is_bool(aval.dtype):
        raise DtypeError(want, f"{aval}", instead="x != 0 instead of x")


def label_of(progress: Any, fun: Callable[..., Any]) -> str | None:
    """The label of a progress bar: of the user's, or the name of the function; None for no bar."""
    if progress is None or progress is False:
        return None
    if progress is True:
        return name_of(fun)
    if isinstance(progress, str):
        return progress
    raise ArgumentError("expected progress: True, False, or a label", repr(progress))
