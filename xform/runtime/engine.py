"""The linker: object code becomes addresses in this process, until its library is dropped."""

from __future__ import annotations

import atexit
import ctypes
import itertools
from collections.abc import Iterator, Mapping, Sequence
from weakref import WeakSet

import llvmlite.binding as llvm

from xform.compiler.target import host, llvm_lock
from xform.errors import CompileError

__all__ = ["Library", "keep_for_ever", "link"]

_new_reference = ctypes.PYFUNCTYPE(None, ctypes.py_object)(("Py_IncRef", ctypes.pythonapi))


def keep_for_ever(x: object) -> None:
    """Keep an object to the very end of the process.

    At exit the interpreter empties modules, and then collects what their code is still needed for;
    a reference that nobody gives back keeps the code in its place.
    """
    _new_reference(x)


class Library:
    """Object code linked into this process; dropping the last reference unloads it.

    Whoever keeps an address keeps the library.

    Args:
        tracker: LLVM's owner of the code and data.
        addresses: the address of each exported symbol.
        linker: LLVM's linker.
    """

    __slots__ = ("__weakref__", "_addresses", "_linker", "_tracker")

    _tracker: llvm.ResourceTracker
    _addresses: Mapping[str, int]
    _linker: llvm.LLJIT | None

    def __init__(
        self, tracker: llvm.ResourceTracker, addresses: Mapping[str, int], linker: llvm.LLJIT
    ) -> None:
        self._tracker = tracker
        self._addresses = addresses
        self._linker = linker  # which must not go before what it linked

    def __getitem__(self, name: str) -> int:
        return self._addresses[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._addresses)

    def __len__(self) -> int:
        return len(self._addresses)

    def __contains__(self, name: object) -> bool:
        return name in self._addresses

    def __repr__(self) -> str:
        return f"Library({', '.join(self._addresses)})"

    def __del__(self) -> None:
        # The tracker's own finalizer calls LLVM; unload under the lock like every other call.
        tracker = getattr(self, "_tracker", None)
        if tracker is not None and llvm_lock is not None:
            with llvm_lock:
                tracker.close()
                self._linker = None


_numbers = itertools.count()

# A linker remembers some 9 KB of each library, also when it is unloaded. So there are several, for
# a number of libraries each, and one goes with the last of its libraries.
_LIBRARIES = 256
_linkers: WeakSet[llvm.LLJIT] = WeakSet()
_current: list[llvm.LLJIT] = []


def _linker(number: int) -> llvm.LLJIT:
    """The linker of the library of a number; the caller holds `llvm_lock`."""
    if number % _LIBRARIES == 0 or not _current:
        _current[:] = [_make_linker()]
        _give_back()
    return _current[0]


def _give_back() -> None:
    """Compiling leaves the heap full of holes; where the C library can, they are given back."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))


def _make_linker() -> llvm.LLJIT:
    machine = llvm.Target.from_triple(host().triple).create_target_machine(
        cpu=host().cpu, features=host().features, opt=2, jit=True
    )
    linker = llvm.create_lljit_compiler(machine)
    _linkers.add(linker)
    return linker


@atexit.register
def _keep_linkers() -> None:
    """Libraries that are unloaded at exit still need their linkers."""
    for linker in list(_linkers):
        keep_for_ever(linker)


def link(
    object_code: bytes, exports: Sequence[str], symbols: Mapping[str, int] | None = None
) -> Library:
    """Link an object file into this process.

    Symbols that the object uses are looked up in `symbols`, then in the process (the C library
    and the Python interpreter).

    Args:
        object_code: an object file made by `Target.object_code`.
        exports: the names of the functions and variables whose addresses are wanted.
        symbols: the addresses of symbols that the object uses, by name.

    Returns:
        A library: ``library[name]`` is the address of an export.

    Raises:
        CompileError: the object is damaged, or needs or lacks a symbol.

    >>> code = host().object_code("define i32 @one() { ret i32 1 }")
    >>> link(code, ["one"])["one"] > 0
    True
    """
    builder = llvm.JITLibraryBuilder().add_object_img(object_code).add_current_process()
    for name in exports:
        builder.export_symbol(name)
    for name, address in (symbols or {}).items():
        builder.import_symbol(name, address)
    with llvm_lock:
        number = next(_numbers)
        linker = _linker(number)
        try:
            tracker = builder.link(linker, f"xform.{number}")
        except RuntimeError as error:
            raise CompileError(
                f"expected an object file that defines {', '.join(exports)}",
                str(error).strip(),
            ) from error
    return Library(tracker, {name: tracker[name] for name in exports}, linker)
