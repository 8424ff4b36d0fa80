"""Statements over a named axis: what a position of it makes of the values at all positions."""

from collections.abc import Callable, Sequence
from typing import Any

import xform
import xform.numpy as xnp
from tests.programs.arithmetic import Statement, picked
from tests.programs.drawing import Draw
from tests.programs.values import MOST_ELEMENTS, Known

Axes = Sequence[tuple[str, int]]  # the names in scope and how many positions each has


def at_first(axes: Axes, make: Callable[[], list[Any]]) -> list[Any]:
    """What `make` gives at the first position of every named axis."""
    if not axes:
        return make()
    name, size = axes[0]
    mapped = xform.vmap(lambda _: tuple(at_first(axes[1:], make)), axis_name=name)
    return [y[0] for y in mapped(xnp.zeros(size))]


def collective(draw: Draw, pool: Sequence[Known], axes: Axes) -> Statement | None:
    name, size = draw.recent(axes)
    if not draw.below(4):
        return f"lax.axis_index('{name}')", [], True, True
    x = picked(draw, pool, lambda k: not k.is_bool)
    if x is None:
        return None
    texts = [f"lax.psum({x.name}, '{name}')"]
    if x.is_float:
        texts.append(f"lax.pmean({x.name}, '{name}')")
    if size * x.size <= MOST_ELEMENTS:
        axis = draw.between(0, x.ndim)
        texts.append(f"lax.all_gather({x.name}, '{name}', axis={axis})")
        if x.ndim:
            axis %= x.ndim
            texts.append(f"lax.all_gather({x.name}, '{name}', axis={axis}, tiled=True)")
    shift = draw.between(1, size)
    pairs = [(k, (k + shift) % size) for k in range(size - draw.below(2))]
    texts.append(f"lax.ppermute({x.name}, '{name}', {pairs})")
    for axis, extent in enumerate(x.shape):
        if extent == size:
            texts.append(f"lax.psum_scatter({x.name}, '{name}', scatter_dimension={axis})")
            texts.append(f"lax.all_to_all({x.name}, '{name}', {axis}, {draw.below(x.ndim)})")
    smooth = len(texts)
    if x.exact and not x.is_float:  # the extremum has no derivative
        texts += [f"lax.pmax({x.name}, '{name}')", f"lax.pmin({x.name}, '{name}')"]
    chosen = draw.below(len(texts))
    return texts[chosen], [x], not x.is_float, chosen < smooth
