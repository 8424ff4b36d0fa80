"""Addresses of BLAS and LAPACK routines: SciPy's own library, called from compiled code.

The routines take Fortran arguments, all by pointer: 32-bit integers and column-major matrices.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from pathlib import Path
from typing import Any

from xform.errors import CompileError

__all__ = ["address", "symbols"]

# A capsule is opened with the name it was made with, which for Cython is the C signature.
_capsule_name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(
    ("PyCapsule_GetName", ctypes.pythonapi)
)
_capsule_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


@functools.cache
def _table(module: str) -> dict[str, Any]:
    """The routines one of SciPy's extension modules offers, loaded at the first use.

    Importing ``scipy.linalg`` takes 0.15 s, most of it for Python code that is of no use here, so
    the extension module is loaded by itself unless something has imported the package already.
    """
    name = f"scipy.linalg.{module}"
    if name not in sys.modules and "scipy.linalg" not in sys.modules:
        folder = Path(importlib.import_module("scipy").__path__[0]) / "linalg"
        details = (ExtensionFileLoader, list(EXTENSION_SUFFIXES))
        spec = FileFinder(str(folder), details).find_spec(name)
        if spec is not None and spec.loader is not None:
            loaded = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(loaded)
            # Extensions made by Cython enter themselves; a later import of the package must do so
            # itself, or the package would lack the attribute.
            sys.modules.pop(name, None)
            return dict(loaded.__pyx_capi__)
    return dict(importlib.import_module(name).__pyx_capi__)


@functools.cache
def address(routine: str) -> int:
    """Find a BLAS or LAPACK routine.

    Args:
        routine: its Fortran name in lower case, such as ``"sgemm"`` or ``"dpotrf"``.

    Returns:
        The address of a C function with the routine's Fortran arguments as pointers.

    Raises:
        CompileError: SciPy has no such routine.

    >>> address("sgemm") != address("dgemm")
    True
    """
    for module in ("cython_blas", "cython_lapack"):
        capsule = _table(module).get(routine)
        if capsule is not None:
            return int(_capsule_pointer(capsule, _capsule_name(capsule)))
    raise CompileError("expected the name of a BLAS or LAPACK routine", repr(routine))


_Get = ctypes.CFUNCTYPE(ctypes.c_int)
_Set = ctypes.CFUNCTYPE(None, ctypes.c_int)
_GET_NAMES = ("scipy_openblas_get_num_threads", "openblas_get_num_threads")
_SET_NAMES = ("scipy_openblas_set_num_threads", "openblas_set_num_threads")
_no_control = (_Get(lambda: 1), _Set(lambda count: None))


@functools.cache
def thread_controls() -> dict[str, int]:
    """Find how the library is told its number of threads.

    Returns:
        The addresses of ``int blas_get_threads()`` and ``void blas_set_threads(int)``; of functions
        that do nothing where the library offers none.

    >>> sorted(thread_controls())
    ['blas_get_threads', 'blas_set_threads']
    """
    _table("cython_blas")
    suffix = next(s for s in EXTENSION_SUFFIXES if s.endswith((".so", ".pyd")))
    folder = Path(importlib.import_module("scipy").__path__[0]) / "linalg"
    found: list[Any] = list(_no_control)
    try:
        library = ctypes.CDLL(str(folder / f"cython_blas{suffix}"))
    except OSError:
        library = None
    for k, names in enumerate((_GET_NAMES, _SET_NAMES)):
        for name in names:
            if library is not None and hasattr(library, name):
                found[k] = getattr(library, name)
                break
        else:
            found = list(_no_control)
            break
    get, put = (ctypes.cast(f, ctypes.c_void_p).value or 0 for f in found)
    return {"blas_get_threads": get, "blas_set_threads": put}


def symbols(*routines: str) -> dict[str, int]:
    """Find several routines, as `engine.link` takes them.

    Args:
        *routines: names as for `address`.

    Returns:
        The addresses by name.

    >>> sorted(symbols("sgemm", "dgemv"))
    ['dgemv', 'sgemm']
    """
    return {routine: address(routine) for routine in routines}
