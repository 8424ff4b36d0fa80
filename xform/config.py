"""Configuration: one object, few options, each settable three ways.

| option                 | default          | what it does                                     |
|------------------------|------------------|--------------------------------------------------|
| `enable_x64`           | `False`          | 64-bit widths as in NumPy; off, 32-bit ones      |
| `disable_jit`          | `False`          | run jitted functions eagerly, op by op           |
| `debug_nans`           | `False`          | raise `NaNError` where a NaN first appears       |
| `check`                | `False`          | verify every program after each pass             |
| `native`               | `True`           | dispatch through compiled code; off, Python      |
| `dump`                 | `""`             | stages to print, with commas between; or `"all"` |
| `log`                  | `""`             | events to log, with commas between: `"compile"`  |
| `cache_dir`            | `~/.cache/xform` | where compiled code is kept; `""` keeps none     |
| `cache_bytes`          | 1 GiB            | most that is kept there; what was used last stays |
| `tape_bytes`           | 256 MiB          | memory of the tapes of reverse mode through `while` |
| `num_threads`          | `None`           | threads of a parallel kernel; `None` takes all   |
| `num_cpu_devices`      | `1`              | devices the CPU counts as, for `pmap` and meshes |
| `collective_timeout_s` | `60.0`           | how long devices wait for each other             |
| `traceback`            | `False`          | show xform's own frames in tracebacks            |

Set an option for the process with ``config.update("enable_x64", True)`` or, before Python starts,
``XFORM_ENABLE_X64=1``; set it for a block of one thread with ``config.scoped``:

>>> config.enable_x64
False
>>> with config.scoped(enable_x64=True):
...     config.enable_x64
True
"""

from __future__ import annotations

import difflib
import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from xform.errors import ArgumentError

__all__ = ["NO_SETTINGS", "Config", "Option", "Settings", "config"]

_TRUE = ("1", "true", "t", "yes", "y", "on")
_FALSE = ("0", "false", "f", "no", "n", "off")


def _bool(value: object) -> bool | None:
    """Read a truth value, spelled as JAX spells it; None when it is not one."""
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    return False if text in _FALSE else None


def _text(value: object) -> str | None:
    """Read a string or a path; None when it is neither."""
    return os.fspath(value) if isinstance(value, str | os.PathLike) else None


def _positive(value: object) -> int | None:
    """Read a number; None when it is not a positive integer."""
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdecimal() and int(text) > 0 else None


def _seconds(value: object) -> float | None:
    """Read a time in seconds; None when it is not a positive number."""
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return seconds if 0 < seconds < math.inf else None


@dataclass(frozen=True)
class Option:
    """One option: a row of the table above.

    Args:
        name: as in ``config.<name>`` and, in capitals, ``XFORM_<NAME>``.
        default: its value when neither the environment nor the program sets it.
        read: turns what the user wrote into a value, or into None when it cannot be one.
        accepts: the values `read` takes, in words.
        optional: whether None is a value.
        changes_code: whether programs compiled under another value are different programs.
        changes_calls: whether a call may do something else under another value, although the
            program is the same.
    """

    name: str
    default: object
    read: Callable[[object], object | None]
    accepts: str
    optional: bool = False
    changes_code: bool = False
    changes_calls: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets the option."""
        return f"XFORM_{self.name.upper()}"

    def parse(self, value: object, given_as: str) -> object:
        """Turn what the user wrote into the option's value, or raise `ArgumentError`."""
        if self.optional and (value is None or value == ""):
            return None
        parsed = self.read(value)
        if parsed is None:
            raise ArgumentError(f"{given_as} takes {self.accepts}", repr(value))
        return parsed


def _switch(name: str, default: bool, **changes: bool) -> Option:
    return Option(name, default, _bool, "True or False", **changes)


def _default_cache_dir() -> str:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "xform")


_OPTIONS: Mapping[str, Option] = {
    option.name: option
    for option in (
        _switch("enable_x64", False, changes_code=True),
        _switch("disable_jit", False, changes_calls=True),
        _switch("debug_nans", False, changes_calls=True),
        _switch("check", False),
        _switch("native", True),
        Option("dump", "", _text, "names of stages separated by commas, or 'all'"),
        Option("log", "", _text, "names of events separated by commas, such as 'compile'"),
        Option("cache_dir", _default_cache_dir(), _text, "a directory, or '' for no cache"),
        Option("cache_bytes", 1 << 30, _positive, "a positive number of bytes"),
        Option("tape_bytes", 256 << 20, _positive, "a positive number of bytes", changes_code=True),
        Option("num_threads", None, _positive, "a positive integer, or None", optional=True),
        Option("num_cpu_devices", 1, _positive, "a positive integer", changes_code=True),
        Option("collective_timeout_s", 60.0, _seconds, "a positive number of seconds"),
        _switch("traceback", False),
    )
}

_CODE_OPTIONS = tuple(option.name for option in _OPTIONS.values() if option.changes_code)

_CALL_OPTIONS = tuple(o.name for o in _OPTIONS.values() if o.changes_code or o.changes_calls)

Settings = tuple[tuple[str, object], ...]
"""Options that calls depend on, with the values that `scoped` blocks give them, by name."""

# One object for each settings that occur: the dispatchers compare identities.
_known: dict[Settings, Settings] = {}


def _interned(settings: Mapping[str, object]) -> Settings:
    """The one object for the settings of these options, of those that calls depend on."""
    made = tuple((name, settings[name]) for name in _CALL_OPTIONS if name in settings)
    return _known.setdefault(made, made)


NO_SETTINGS = _interned({})
"""The settings outside of all `scoped` blocks."""


class _Scope:
    """A `scoped` block: what it sets, and the block around it, None outside of all.

    `cell` is a list of one item, the settings that hold within; the native dispatcher reads it. A
    block of a generator may end before one that was opened within it, and the values of blocks that
    have ended hold no longer: the cells of the blocks within are then filled again.
    """

    __slots__ = ("__weakref__", "cell", "ended", "inner", "outer", "set")

    def __init__(self, options: Mapping[str, object], outer: _Scope | None) -> None:
        self.set = options
        self.outer = outer
        self.ended = False
        self.inner: WeakSet[_Scope] = WeakSet()
        self.cell: list[Any] = [NO_SETTINGS, self]
        if outer is not None:
            outer.inner.add(self)
        self.fill()

    def holding(self) -> Iterator[_Scope]:
        """This block and those around it, without those that have ended."""
        at: _Scope | None = self
        while at is not None:
            if not at.ended:
                yield at
            at = at.outer

    def fill(self) -> None:
        """Say in the cells of this block and of those within what holds there."""
        options: dict[str, object] = {}
        for scope in self.holding():
            options = {**scope.set, **options}
        self.cell[0] = _interned(options)
        for scope in list(self.inner):
            scope.fill()


class Config:
    """The options of this process; see the module's table. There is one, `config`.

    Reading ``config.enable_x64`` is one slot read, because every array made reads it: a slot holds
    the process-wide value as long as no thread is inside a `scoped` block that sets the option.
    While one is, the slot is empty and the read falls through to `__getattr__`, which looks at the
    block of the reading thread.

    Args:
        environ: the environment variables to read.

    >>> Config({"XFORM_NUM_THREADS": "3"}).num_threads
    3
    """

    __slots__ = (*_OPTIONS, "_counts", "_listeners", "_lock", "_values", "_within")

    enable_x64: bool
    disable_jit: bool
    debug_nans: bool
    check: bool
    native: bool
    dump: str
    log: str
    cache_dir: str
    cache_bytes: int
    tape_bytes: int
    num_threads: int | None
    num_cpu_devices: int
    collective_timeout_s: float
    traceback: bool
    _values: dict[str, object]
    _counts: dict[str, int]
    _lock: threading.RLock
    _listeners: tuple[Callable[[], None], ...]
    _within: ContextVar[list[Any]]

    def __init__(self, environ: Mapping[str, str]) -> None:
        values = {
            name: option.parse(environ[option.variable], option.variable)
            if option.variable in environ
            else option.default
            for name, option in _OPTIONS.items()
        }
        store = super().__setattr__
        store("_values", values)
        store("_counts", dict.fromkeys(_OPTIONS, 0))
        store("_lock", threading.RLock())
        store("_listeners", ())
        # What the innermost block holds: its settings, and the block itself.
        outside: list[Any] = [NO_SETTINGS, None]
        store("_within", ContextVar("xform.config", default=outside))
        for name, value in values.items():
            store(name, value)

    def __getattr__(self, name: str) -> object:
        if name not in _OPTIONS:
            message = f"config has no option {name!r}; {_suggest(name)}"
            raise AttributeError(message, name=name, obj=self)
        scope = self._within.get()[1]
        if scope is not None:
            for each in scope.holding():
                if name in each.set:
                    return each.set[name]
        return self._values[name]

    def __setattr__(self, name: str, value: object) -> None:
        raise ArgumentError(
            "options are set by config.update",
            f"config.{name} = {value!r}",
            instead=f"config.update({name!r}, {value!r})",
        )

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{name}={getattr(self, name)!r}' for name in _OPTIONS)})"

    def update(self, name: str, value: object) -> None:
        """Set an option for the whole process.

        Inside a `scoped` block that sets the same option, the block's value goes on until it ends.

        Args:
            name: the option's name.
            value: its new value.

        Raises:
            ArgumentError: there is no such option, or it does not take that value.
        """
        parsed = _option(name, value).parse(value, name)
        with self._lock:
            self._values[name] = parsed
            if not self._counts[name]:
                object.__setattr__(self, name, parsed)
        self._notify()

    @contextmanager
    def scoped(self, **options: object) -> Iterator[None]:
        """Set options for a block of this thread.

        Args:
            **options: the options' names and values.

        Raises:
            ArgumentError: there is no such option, or it does not take that value.

        >>> with config.scoped(num_threads=1, check=True):
        ...     config.num_threads
        1
        """
        parsed = {name: _option(name, value).parse(value, name) for name, value in options.items()}
        around = self._within.get()[1]
        scope = _Scope(parsed, around and next(around.holding(), None))
        self._count(parsed, 1)
        self._within.set(scope.cell)
        try:
            self._notify()
            yield
        finally:
            self._leave(scope)
            self._count(parsed, -1)
            self._notify()

    def _leave(self, scope: _Scope) -> None:
        """End a block: the innermost that has not ended is current in this context."""
        scope.ended = True
        scope.fill()
        current = self._within.get()[1]
        if current is not None and current.ended:
            left = next(current.holding(), None)
            self._within.set([NO_SETTINGS, None] if left is None else left.cell)

    def _count(self, names: Mapping[str, object], step: int) -> None:
        """Count the blocks that set each option; empty its slot while there is one."""
        with self._lock:
            for name in names:
                before = self._counts[name]
                self._counts[name] = before + step
                if before == 0:
                    object.__delattr__(self, name)
                elif before + step == 0:
                    object.__setattr__(self, name, self._values[name])

    @property
    def scopes(self) -> int:
        """How many options are set by `scoped` blocks now, in all threads together.

        Zero means that every thread sees the process-wide values.
        """
        return sum(self._counts.values())

    @property
    def settings(self) -> Settings:
        """What the blocks around set, of the options that calls depend on; one object for each.

        >>> with config.scoped(enable_x64=True, log="compile"):
        ...     config.settings
        (('enable_x64', True),)
        """
        settings: Settings = self._within.get()[0]
        return settings

    @property
    def settings_cell(self) -> ContextVar[list[Any]]:
        """A variable whose value is a list that begins with the `settings`, for native code."""
        return self._within

    def call_key(self) -> tuple[object, ...]:
        """The values for the process of the options that calls depend on, whatever blocks set."""
        return tuple([self._values[name] for name in _CALL_OPTIONS])

    def code_key(self) -> tuple[object, ...]:
        """The values of the options that change generated code: a part of every cache key.

        The options are `code_options`.

        >>> config.code_key()
        (False, 268435456, 1)
        """
        return tuple([getattr(self, name) for name in _CODE_OPTIONS])

    @property
    def code_options(self) -> tuple[str, ...]:
        """The names of the options that change generated code, in the order of `code_key`."""
        return _CODE_OPTIONS

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Ask to be called after every update and at both ends of every `scoped` block.

        Args:
            callback: called without arguments, in the thread that made the change.

        Returns:
            A function that ends the arrangement.
        """
        with self._lock:
            object.__setattr__(self, "_listeners", (*self._listeners, callback))

        def forget() -> None:
            with self._lock:
                kept = tuple(other for other in self._listeners if other is not callback)
                object.__setattr__(self, "_listeners", kept)

        return forget

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()

    def _after_fork(self) -> None:
        """Another thread of the parent may have held the lock."""
        object.__setattr__(self, "_lock", threading.RLock())


def _suggest(name: str) -> str:
    """Name the option that was probably meant, or all of them."""
    close = difflib.get_close_matches(name.removeprefix("jax_"), _OPTIONS, 1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(_OPTIONS)}"


def _option(name: str, value: object) -> Option:
    """Look an option up by name."""
    if name in _OPTIONS:
        return _OPTIONS[name]
    meant = difflib.get_close_matches(str(name).removeprefix("jax_"), _OPTIONS, 1)
    raise ArgumentError(
        f"expected the name of an option: {', '.join(_OPTIONS)}",
        repr(name),
        why="options are named as in JAX, without the prefix jax_" if meant else None,
        instead=f"config.update({meant[0]!r}, {value!r})" if meant else None,
    )


config = Config(os.environ)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=config._after_fork)
