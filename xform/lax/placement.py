"""Where the arrays of a program lie."""

from __future__ import annotations

from typing import Any

from .. import tree
from ..core.trace import Tracer
from ..runtime.devices import Device
from ..runtime.sharding import PartitionSpec, Sharding, moved, resolved
from .operands import operand


def with_sharding_constraint(x: Any, shardings: Any) -> Any:
    """The arrays, divided among devices as said.

    Devices share one memory, so that values stay where they are: arrays outside of transformations
    are remembered to be divided so.

    Args:
        x: a pytree of arrays.
        shardings: a sharding, or a `PartitionSpec` of the mesh of the block `with mesh:` around, or
            a pytree of them with the structure of `x` or a part of it from the root.

    Raises:
        ShapeError: an array that the sharding does not divide.

    >>> import numpy as np, xform
    >>> from xform.sharding import NamedSharding, PartitionSpec as P
    >>> with xform.config.scoped(num_cpu_devices=2):
    ...     rows = NamedSharding(xform.make_mesh((2,), ("i",)), P("i"))
    >>> with_sharding_constraint(np.arange(4, dtype="int32"), rows).sharding.spec
    P('i',)
    """

    def leaf(where: Any, part: Any) -> Any:
        sharding = resolved(where)
        return tree.map(lambda y: constrained(operand(y), sharding), part)

    return tree.map(
        leaf, shardings, x, is_leaf=lambda s: isinstance(s, Device | Sharding | PartitionSpec)
    )


def constrained(x: Any, sharding: Sharding) -> Any:
    """One value, divided so; what is traced stays as it is, if it can be divided."""
    if isinstance(x, Tracer):
        sharding.shard_shape(x.shape)
        return x
    return moved(x, sharding)
