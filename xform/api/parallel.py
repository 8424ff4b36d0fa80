"""pmap: one program on many devices."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from .. import errors, tree
from ..config import config
from ..core.jaxpr import hoist_constants
from ..core.trace import BASE, aval_of
from ..higher_order.parallel_call import parallel_call
from ..interpreters.batching import place
from ..interpreters.spmd import devices_around, stage_for_devices
from ..ops.structural import moveaxis
from ..runtime.devices import Device, require_devices
from ..runtime.sharding import Mesh, NamedSharding, PartitionSpec, place as placed
from .flat import FlatFunction, argument_names, as_arrays, canonical, name_of
from .jit import jit
from .mapping import check_in_axes, checked_axis, leaf_axes, mapped_size, output_axes

_UNNAMED = "<devices>"  # the axis of a pmap without axis_name, which no collective asks for


def pmap(
    fun: Callable[..., Any],
    axis_name: Hashable = None,
    *,
    in_axes: Any = 0,
    out_axes: Any = 0,
    static_broadcasted_argnums: int | Iterable[int] = (),
    devices: Sequence[Device] | None = None,
    backend: str | None = None,
    axis_size: int | None = None,
    donate_argnums: int | Iterable[int] = (),
    global_arg_shapes: Any = None,
) -> Callable[..., Any]:
    """A function that runs `fun` on several devices at once, each on its part of the arguments.

    The devices are shares of the CPU's cores: `config.update("num_cpu_devices", n)`. They see one
    memory, so that dividing and joining arrays costs nothing.

    Args:
        fun: a function of the part of one device. Inside, `lax.psum(x, axis_name)` and the other
            collectives communicate between devices.
        axis_name: a name for the axis along which the devices lie.
        in_axes: which axis of each positional argument is divided among the devices, with one
            element for each: an int, None for an argument that all get whole, or a tuple with one
            entry per argument, each an int, None, or a pytree prefix of the argument. Keyword
            arguments are divided along axis 0.
        out_axes: where the axis of the devices goes in the outputs: an int or a pytree prefix of
            the output; None for the first device's output alone.
        static_broadcasted_argnums: positional arguments that are hashable Python values, the same
            on all devices.
        devices: the devices to use; by default the first ones.
        backend: "cpu", or None.
        axis_size: how many devices; needed only when no argument is divided.
        donate_argnums: arguments whose memory the outputs may take over.
        global_arg_shapes: None; accepted for JAX's signature.

    Returns:
        a function with the signature of `fun`, compiled, with `lower(*args)`.

    Raises:
        ArgumentError: fewer devices than elements of the divided axis. ShapeError: sizes of the
            divided axes that disagree. AxisError: an axis out of range. TreeError: axes that are no
            prefix of the arguments or outputs.

    >>> import xform, xform.numpy as xnp
    >>> from xform import lax
    >>> with xform.config.scoped(num_cpu_devices=2):
    ...     xform.pmap(lambda x: x / lax.psum(x, "i"), axis_name="i")(xnp.array([1.0, 3.0]))
    Array([0.25, 0.75], dtype=float32)
    """
    if not callable(fun):
        raise errors.ArgumentError("expected a function to pmap", f"{type(fun).__name__}: {fun!r}")
    if backend not in (None, "cpu"):
        raise errors.ArgumentError('expected backend="cpu" for pmap', repr(backend))
    if global_arg_shapes is not None:
        raise errors.ArgumentError("expected global_arg_shapes=None", repr(global_arg_shapes))
    static = _numbers(static_broadcasted_argnums)
    parallel = Parallel(
        fun,
        axis_name,
        check_in_axes(in_axes),
        out_axes,
        static,
        None if devices is None else tuple(devices),
        axis_size,
    )
    return parallel.function(_numbers(donate_argnums))


def _numbers(value: int | Iterable[int]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


class Parallel:
    """What a pmapped function knows: how its arguments are divided among which devices."""

    def __init__(
        self,
        fun: Callable[..., Any],
        axis_name: Hashable,
        in_axes: Any,
        out_axes: Any,
        static: tuple[int, ...],
        devices: tuple[Device, ...] | None,
        axis_size: int | None,
    ) -> None:
        self.fun = fun
        self.axis_name = _UNNAMED if axis_name is None else axis_name
        self.in_axes = in_axes
        self.out_axes = out_axes
        self.static = static
        self.devices = devices
        self.axis_size = axis_size
        self.shardings: dict[Any, Any] = {}

    def function(self, donate_argnums: tuple[int, ...]) -> Callable[..., Any]:
        """The function of all devices: jitted, once for each number of devices there may be."""

        def jitted() -> Any:
            @functools.wraps(self.fun)
            def call(*args: Any, **kwargs: Any) -> Any:
                return self.call(args, kwargs)

            return jit(call, static_argnums=self.static, donate_argnums=donate_argnums)

        by_count: dict[int, Any] = {}

        def compiled() -> Any:
            count = config.num_cpu_devices
            if count not in by_count:
                by_count[count] = jitted()
            return by_count[count]

        @functools.wraps(self.fun)
        def mapped(*args: Any, **kwargs: Any) -> Any:
            function = compiled()
            return self.mark(function(*args, **kwargs), function)

        mapped.lower = lambda *args, **kwargs: compiled().lower(*args, **kwargs)  # type: ignore[attr-defined]
        mapped.clear_cache = by_count.clear  # type: ignore[attr-defined]
        return mapped

    # -- the call of one program on all devices --

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Divides the arguments, runs the program of one device, and joins the outputs."""
        static = {n % len(args) for n in self.static if -len(args) <= n < len(args)}
        dynamic = tuple(x for n, x in enumerate(args) if n not in static)
        in_axes = self._dynamic_axes(args, static)
        fun = _with_static(self.fun, args, static)
        leaves, in_tree = tree.flatten((dynamic, kwargs))
        leaves = [canonical(x) for x in leaves]
        names = functools.partial(argument_names, fun, dynamic, kwargs)
        axes = [
            checked_axis(x, a, names, k)
            for k, (x, a) in enumerate(
                zip(leaves, leaf_axes(in_axes, dynamic, kwargs), strict=True)
            )
        ]
        size = mapped_size(leaves, axes, self.axis_size, names)
        self._check_devices(size)
        split = [x if a is None else moveaxis(x, a, 0) for x, a in zip(leaves, axes, strict=True)]
        avals = [_part(x, a is not None) for x, a in zip(split, axes, strict=True)]
        flat = FlatFunction(fun, in_tree, takes_kwargs=True)
        named = ((self.axis_name, size),)
        program = stage_for_devices(flat, avals, named, name_of(self.fun), names())
        wanted = output_axes(self.out_axes, flat.value(list(range(len(program.out_avals)))))
        outs = parallel_call(
            *program.consts,
            *split,
            jaxpr=hoist_constants(program.jaxpr),
            axes=named,
            in_axes=tuple(
                () if a is None else (0,) for a in (*(None for _ in program.consts), *axes)
            ),
            out_axes=tuple(() if a is None else (0,) for a in wanted),
            name=name_of(self.fun),
        )
        outs = [_joined(size, y, a) for y, a in zip(outs, wanted, strict=True)]
        return flat.value(as_arrays(outs))

    def _dynamic_axes(self, args: tuple[Any, ...], static: set[int]) -> Any:
        """`in_axes` without the entries of static arguments, which must be None."""
        check_in_axes(self.in_axes, args)
        if not isinstance(self.in_axes, tuple):
            return self.in_axes
        for n in static:
            if self.in_axes[n] is not None and self.in_axes[n] != 0:
                raise errors.ArgumentError(
                    f"expected in_axes with None for the static argument {n}",
                    repr(self.in_axes),
                )
        return tuple(a for n, a in enumerate(self.in_axes) if n not in static)

    def _check_devices(self, size: int) -> None:
        if self.devices is not None:
            if len(self.devices) != size:
                raise errors.ArgumentError(
                    f"expected an axis with an element for each of the {len(self.devices)} devices "
                    f"of {name_of(self.fun)}",
                    f"an axis of size {size}",
                )
            return
        require_devices(
            size * devices_around(), f"pmap of {name_of(self.fun)} over an axis of size {size}"
        )

    # -- where the results lie --

    def mark(self, result: Any, function: Any) -> Any:
        """Remembers which devices have which part of the results."""
        if config.num_cpu_devices == 1:
            return result
        wanted = output_axes(self.out_axes, result)
        for x, axis in zip(tree.leaves(result), wanted, strict=True):
            if axis is not None and type(x) is BASE.array_type:
                placed(x, self.sharding(axis % x.ndim, x.shape[axis]))
        return result

    def sharding(self, axis: int, size: int) -> NamedSharding:
        """Arrays divided along an axis among the devices."""
        key = (axis, size)
        found = self.shardings.get(key)
        if found is None:
            name = self.axis_name
            devices = self.devices or require_devices(size, "pmap")
            spec = PartitionSpec(*(None for _ in range(axis)), name)
            found = self.shardings[key] = NamedSharding(Mesh(list(devices), (name,)), spec)
        return found


def _with_static(fun: Any, args: tuple[Any, ...], static: set[int]) -> Callable[..., Any]:
    """`fun` as a function of its other arguments."""
    if not static:
        return fun  # type: ignore[no-any-return]

    def dynamic(*given: Any, **kwargs: Any) -> Any:
        rest = iter(given)
        full = [x if n in static else next(rest) for n, x in enumerate(args)]
        return fun(*full, **kwargs)

    dynamic.__name__ = name_of(fun)
    return dynamic


def _part(x: Any, divided: bool) -> Any:
    """What one device sees of an argument."""
    aval = aval_of(x)
    return aval.update(shape=aval.shape[1:]) if divided else aval


def _joined(size: int, y: Any, axis: int | None) -> Any:
    if axis is None:
        return y
    ndim = aval_of(y).ndim
    if not -ndim <= axis < ndim:
        raise errors.AxisError(
            f"expected out_axes within the {ndim} dimensions of the joined output", str(axis)
        )
    return place(size, y, 0, axis % ndim)
