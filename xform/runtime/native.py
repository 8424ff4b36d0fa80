"""The native runtime: arrays and dispatch compiled from `kernels/runtime`, made types of Python.

The types are made with `PyType_FromSpec` through ctypes, from addresses of compiled functions.
Everything that depends on the interpreter is looked up or probed in it, and the whole is tested
before it is used; when anything is not as expected, there is no native runtime and the modules
`array_python` and `dispatch_python` take its place.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import platform
import sys
import sysconfig
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform import _kernels
from xform.compiler.target import host
from xform.config import NO_SETTINGS, config
from xform.core.avals import ShapedArray
from xform.errors import CompileError
from xform.runtime import array_python, cache, engine, memory, native_plan
from xform.runtime.dispatch_python import guard, scoped
from xform.runtime.plan import ArrayLeaf, Plan, ScalarLeaf

__all__ = ["Runtime", "reason", "runtime"]

_PASSES = ("instcombine", "simplifycfg")
_WORD = 8
_HEAD = object.__basicsize__

# Slots, flags and member types of CPython's stable interface.
_SLOT_GETBUFFER, _SLOT_CALL, _SLOT_CLEAR, _SLOT_DEALLOC, _SLOT_DESCR_GET = 1, 50, 51, 52, 54
_SLOT_NEW, _SLOT_TRAVERSE, _SLOT_MEMBERS, _SLOT_GETSET = 65, 71, 72, 73
_FLAG_NO_INSTANTIATION, _FLAG_VECTORCALL = 1 << 7, 1 << 11
_FLAG_GC, _FLAG_METHOD = 1 << 14, 1 << 17
_MEMBER_SIZE, _READ_ONLY = 19, 1
_METHOD_FASTCALL = 0x80

# Offsets, in words after the object's head, of what native.py must know of the C structures.
_ARRAY_WORDS, _ARRAY_WEAKREFS = 6, 3
_FUNCTION_WORDS, _FUNCTION_DICT, _FUNCTION_WEAKREFS = 7, 2, 3
_ATTRIBUTES = {
    "aval": 2,
    "shape": 3,
    "dtype": 4,
    "weak_type": 5,
    "ndim": 6,
    "size": 7,
    "nbytes": 8,
    "itemsize": 9,
}

# NumPy's table of functions: an interface it has kept since 1.7.
_NUMPY_NDARRAY, _NUMPY_NEW_FROM_DESCR, _NUMPY_SET_BASE = 2, 94, 282

_BUFFER_FORMATS = {char: char.encode() for char in "?bBhHiIlLqQefd"} | {"F": b"Zf", "D": b"Zd"}


class _Slot(ctypes.Structure):
    _fields_ = [("slot", ctypes.c_int), ("value", ctypes.c_void_p)]


class _Spec(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    ]


class _Member(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class _GetSet(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("get", ctypes.c_void_p),
        ("set", ctypes.c_void_p),
        ("doc", ctypes.c_char_p),
        ("closure", ctypes.c_void_p),
    ]


class _Method(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


# Private prototypes: the attributes of ctypes.pythonapi are shared by the whole process.
_type_from_spec = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_Spec))(
    ("PyType_FromSpec", ctypes.pythonapi)
)
_new_method = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.POINTER(_Method), ctypes.c_void_p, ctypes.c_void_p
)(("PyCFunction_NewEx", ctypes.pythonapi))
_capsule_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def _python_symbol(name: str) -> int:
    """The address of a function or variable of the interpreter."""
    return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name))


def _unsupported() -> str:
    """Why this interpreter cannot have a native runtime, or nothing."""
    if not config.native:
        return "XFORM_NATIVE=0"
    if sys.implementation.name != "cpython":
        return f"the interpreter is {sys.implementation.name}"
    if not (3, 11) <= sys.version_info < (3, 15):
        return f"Python {platform.python_version()} has not been tried"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "the interpreter is free-threaded"
    if ctypes.sizeof(ctypes.c_void_p) != _WORD or sys.platform == "win32":
        return "the platform is not a 64-bit POSIX system"
    return ""


def _probe(what: str, found: object, expected: object) -> None:
    """Check one assumption about the interpreter or NumPy."""
    if found != expected:
        raise CompileError(f"{what}: expected {expected!r}", f"{found!r}")


def _word_at(address: int) -> int:
    return ctypes.c_int64.from_address(address).value


def _layout() -> dict[str, int]:
    """The constants of `python_abi.h`, each checked against an object that is known."""
    offsets = {
        "OBJECT_SIZE": _HEAD,
        "TUPLE_ITEMS": tuple.__basicsize__,
        "LIST_ITEMS": _HEAD + _WORD,
        "FLOAT_VALUE": _HEAD,
        "COMPLEX_VALUE": _HEAD,
    }
    first, second = object(), object()
    pair, items = (first, second), [first, second]
    _probe("the type of an object", _word_at(id(first) + _HEAD - _WORD), id(object))
    _probe("the length of a tuple", _word_at(id(pair) + _HEAD), 2)
    _probe("the length of a list", _word_at(id(items) + _HEAD), 2)
    start = id(pair) + offsets["TUPLE_ITEMS"]
    _probe("the items of a tuple", _word_at(start + _WORD), id(second))
    start = _word_at(id(items) + offsets["LIST_ITEMS"])
    _probe("the items of a list", _word_at(start + _WORD), id(second))
    number, pair_of_numbers = 1.25, 2.5 + 3.75j
    value = ctypes.c_double.from_address(id(number) + _HEAD).value
    _probe("the value of a float", value, number)
    value = ctypes.c_double.from_address(id(pair_of_numbers) + _HEAD + _WORD).value
    _probe("the value of a complex number", value, pair_of_numbers.imag)
    _probe_numpy()
    return offsets


def _probe_numpy() -> None:
    """Check the layout of `numpy.ndarray` that `python_abi.h` states."""
    x = np.zeros((2, 3), np.float32)
    start = id(x) + _HEAD
    _probe("the data of an ndarray", _word_at(start), x.__array_interface__["data"][0])
    _probe("the ndim of an ndarray", ctypes.c_int32.from_address(start + _WORD).value, 2)
    dims = _word_at(start + 2 * _WORD)
    _probe("the shape of an ndarray", (_word_at(dims), _word_at(dims + _WORD)), (2, 3))
    _probe("the dtype of an ndarray", _word_at(start + 5 * _WORD), id(x.dtype))
    flags = ctypes.c_int32.from_address(start + 6 * _WORD).value
    _probe("the flags of an ndarray", flags & 0x503, 0x501)


def _numpy_functions() -> tuple[int, int]:
    """The addresses of `PyArray_NewFromDescr` and `PyArray_SetBaseObject`."""
    table = _capsule_pointer(np._core.multiarray._ARRAY_API, None)  # type: ignore[attr-defined]
    _probe("NumPy's table", _word_at(table + _NUMPY_NDARRAY * _WORD), id(np.ndarray))
    return _word_at(table + _NUMPY_NEW_FROM_DESCR * _WORD), _word_at(
        table + _NUMPY_SET_BASE * _WORD
    )


def _raise_no_memory(nbytes: int) -> None:
    raise memory.refusal("an array", nbytes)


class Runtime:
    """The native types and functions, under the names of `array_python` and `dispatch_python`.

    Raises:
        CompileError: this interpreter is not as expected.
    """

    def __init__(self) -> None:
        source = _kernels.runtime.runtime_source()
        text = source.specialized(_layout())
        target = host()
        object_code = cache.get_or_build(
            cache.cache_key(text, target, *_PASSES),
            lambda: target.object_code(text, passes=_PASSES),
        )
        symbols = {name: _python_symbol(name) for name in source.imports}
        symbols["guard_count"] = ctypes.addressof(guard)
        symbols["scoped_ever"] = ctypes.addressof(scoped)
        self._library = engine.link(object_code, source.exports, symbols)
        engine.keep_for_ever(self)  # The types below outlive every module.
        self._pool_class_of = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(
            self._library["pool_class_of"]
        )
        # What C structures point to; nothing here is ever freed.
        self._kept: list[object] = []
        self._described: dict[int, int] = {}  # descriptors, by the identity of the value
        self._define_types()
        self._define_functions()
        self._fill_environment()

    def _define_types(self) -> None:
        self.Array: Any = self._make_type(
            "xform.Array",
            _ARRAY_WORDS,
            _FLAG_NO_INSTANTIATION,
            {_SLOT_DEALLOC: "array_dealloc", _SLOT_GETBUFFER: "array_getbuffer"},
            {"__weaklistoffset__": _ARRAY_WEAKREFS},
            [(name, "array_get", word * _WORD) for name, word in _ATTRIBUTES.items()],
        )
        self.JitFunction: Any = self._make_type(
            "xform.JitFunction",
            _FUNCTION_WORDS,
            _FLAG_VECTORCALL | _FLAG_GC | _FLAG_METHOD,
            {
                _SLOT_NEW: "function_new",
                _SLOT_DEALLOC: "function_dealloc",
                _SLOT_TRAVERSE: "function_traverse",
                _SLOT_CLEAR: "function_clear",
                _SLOT_DESCR_GET: "function_descr_get",
                _SLOT_CALL: "PyVectorcall_Call",
            },
            {
                "__vectorcalloffset__": 0,
                "__dictoffset__": _FUNCTION_DICT,
                "__weaklistoffset__": _FUNCTION_WEAKREFS,
            },
            [("__dict__", "PyObject_GenericGetDict", 0)],
        )

    def _address(self, name: str) -> int:
        return self._library[name] if name in self._library else _python_symbol(name)

    def _make_type(
        self,
        name: str,
        words: int,
        flags: int,
        slots: dict[int, str],
        offsets: dict[str, int],
        getters: Sequence[tuple[str, str, int]],
    ) -> type:
        """Make a heap type of `words` words after the object's head."""
        members = [
            _Member(key.encode(), _MEMBER_SIZE, _HEAD + word * _WORD, _READ_ONLY, None)
            for key, word in offsets.items()
        ]
        getsets = [
            _GetSet(
                key.encode(),
                self._address(getter),
                self._address("PyObject_GenericSetDict") if key == "__dict__" else None,
                None,
                closure,
            )
            for key, getter, closure in getters
        ]
        member_array = (_Member * (len(members) + 1))(*members)
        getset_array = (_GetSet * (len(getsets) + 1))(*getsets)
        entries = [_Slot(slot, self._address(symbol)) for slot, symbol in slots.items()]
        entries.append(_Slot(_SLOT_MEMBERS, ctypes.addressof(member_array)))
        entries.append(_Slot(_SLOT_GETSET, ctypes.addressof(getset_array)))
        slot_array = (_Slot * (len(entries) + 1))(*entries)
        spec = _Spec(name.encode(), _HEAD + words * _WORD, 0, flags, slot_array)
        # CPython copies the members and the name but goes on reading the getters.
        self._kept.extend((member_array, getset_array, slot_array, spec))
        made: type = _type_from_spec(ctypes.byref(spec))
        return made

    def _function(self, symbol: str, name: str = "") -> Callable[..., Any]:
        """Make a built-in function of a compiled one."""
        method = _Method((name or symbol).encode(), self._library[symbol], _METHOD_FASTCALL, None)
        self._kept.append(method)
        made: Callable[..., Any] = _new_method(ctypes.byref(method), None, None)
        return made

    def _define_functions(self) -> None:
        self.empty = self._function("empty")
        self.wrap = self._function("wrap")
        self.from_numpy = self._function("from_numpy")
        self.view = self._function("view")
        self.writable = self._function("writable")
        self.address = self._function("address")
        self.delete = self._function("delete_array", "delete")
        self.is_deleted = self._function("is_deleted")
        self.idle_bytes = self._function("idle_bytes")
        self.trim = self._function("trim")
        self.guard_enter = self._function("guard_enter")
        self.guard_exit = self._function("guard_exit")
        self._push_plan = self._function("add_plan")
        self.JitFunction._clear_plans = _method(self._function("clear_plans"))
        self.JitFunction._plan_count = _method(self._function("plan_count"))
        self.JitFunction._add_plan = _method(self._add_plan)

    def _fill_environment(self) -> None:
        new_from_descr, set_base_object = _numpy_functions()
        entries = [
            self.Array,
            self.JitFunction,
            np.ndarray,
            sys.intern("descriptor"),
            self._describe,
            array_python.check_wrappable,
            array_python.raise_deleted,
            _raise_no_memory,
            array_python.contiguous,
            memory.require,
            config.settings_cell,
            NO_SETTINGS,
        ]
        self._kept.append(entries)
        words = [*map(id, entries), new_from_descr, set_base_object]
        environment: Any = (ctypes.c_int64 * len(words)).from_address(self._library["python"])
        environment[:] = words

    def _describe(self, aval: ShapedArray) -> int:
        """Make the descriptor of an abstract value, which like the value itself lives for ever."""
        pool = self._pool_class_of(aval.nbytes)
        itemsize = aval.dtype.itemsize
        objects: list[object] = [aval, aval.shape, aval.dtype, aval.weak_type]
        objects += [aval.ndim, aval.size, aval.nbytes, itemsize]
        formatted = _BUFFER_FORMATS.get(aval.dtype.char) if aval.dtype.isbuiltin == 1 else None
        text = ctypes.create_string_buffer(formatted) if formatted else None
        strides = [itemsize] * aval.ndim
        for axis in range(aval.ndim - 2, -1, -1):
            strides[axis] = strides[axis + 1] * aval.shape[axis + 1]
        extents = (ctypes.c_int64 * (2 * aval.ndim + 1))(*aval.shape, *strides)
        start = ctypes.addressof(extents)
        words = [aval.nbytes, pool, *map(id, objects), itemsize, aval.ndim]
        words += [ctypes.addressof(text) if text else 0, start, start + aval.ndim * _WORD]
        record = (ctypes.c_int64 * len(words))(*words)
        self._kept.append((objects, text, extents, record))
        # Another thread may be here for the same value, and arrays are compared by the address.
        aval.descriptor = self._described.setdefault(id(aval), ctypes.addressof(record))
        return aval.descriptor

    def descriptor(self, aval: ShapedArray) -> int:
        """The address of an abstract value's descriptor."""
        return aval.descriptor or self._describe(aval)

    def _add_plan(self, function: Any, plan: Plan) -> None:
        for array in plan.hidden:
            native_plan.check_hidden(array, self.Array)
        encoded = native_plan.encode(plan, self.descriptor, self._pool_class_of)
        self._push_plan(function, encoded.owner, encoded.address)

    def symbol(self, name: str) -> int:
        """The address of an exported function."""
        return self._library[name]

    def self_test(self) -> None:
        """Run a small program through everything, and check results and reference counts.

        Raises:
            CompileError: something is not as it should be.
        """
        aval = ShapedArray((3,), np.dtype(np.float32))
        leaf = ArrayLeaf(aval, 0)
        number = ScalarLeaf("int", np.dtype(np.int32), 1)
        kernel = self._library["self_test_kernel"]
        calls: list[tuple[Any, ...]] = []
        function = self.JitFunction(lambda *args: calls.append(args))
        plan = Plan((leaf, number), (), leaf, (aval,), kernel)
        self._add_plan(function, plan)
        source = np.arange(3, dtype=np.float32)
        copied, wrapped = self.from_numpy(source, aval), self.wrap(source, aval)
        before = [sys.getrefcount(each) for each in (self.Array, copied, wrapped, source)]
        for array in (copied, wrapped) * 3:
            result = self.view(function(array, 5))
            _probe("the self-test's result", result.tolist(), [5.0, 7.0, 9.0])
            _probe("a view", (result.flags.writeable, result.flags.c_contiguous), (False, True))
        function(copied, 2**40)
        _probe("the slow path", calls, [(copied, 2**40)])
        calls.clear()
        del result, array
        after = [sys.getrefcount(each) for each in (self.Array, copied, wrapped, source)]
        _probe("reference counts", after, before)
        _probe("an attribute", (copied.shape, copied.dtype, copied.nbytes), ((3,), aval.dtype, 12))
        _probe("the buffer protocol", memoryview(copied).tolist(), [0.0, 1.0, 2.0])


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function a method: built-in functions do not bind to instances."""

    def method(self: Any, *args: Any) -> Any:
        return function(self, *args)

    return method


_reason = ""


def reason() -> str:
    """Why there is no native runtime; nothing when there is one or none was asked for yet."""
    return _reason


@functools.cache
def runtime() -> Runtime | None:
    """The native runtime, or None where there is none; `reason` says why.

    Returns:
        The same object every time.

    >>> runtime() is runtime()
    True
    """
    global _reason
    _reason = _unsupported()
    if _reason:
        return None
    # Collections during the self-test could run finalizers that change reference counts.
    collecting = gc.isenabled()
    gc.disable()
    try:
        made = Runtime()
        made.self_test()
    except Exception as error:  # Whatever an unknown interpreter does, there is the fallback.
        _reason = f"{type(error).__name__}: {error}"
        return None
    finally:
        if collecting:
            gc.enable()
    return made
