"""The value of every elementwise operator for one item, or for a vector of items, in LLVM IR.

`apply` writes the formula of an operator through a `Builder`. Formulas are target-free: products
and sums, comparisons, selects and bit patterns; no calls to a mathematical library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..builder import Builder, Value
from .arithmetic import BOOLEAN, FLOAT, INTEGER, integer_power, nextafter, round_away, select_n
from .convert import bitcast, convert, reduce_precision
from .error import ERROR
from .exponential import EXPONENTIAL
from .formats import FORMATS, format_of, narrow, widen
from .gamma import GAMMA
from .hyperbolic import HYPERBOLIC
from .integer import BITWISE
from .outline import outlined
from .power import POWERS
from .threefry import threefry2x32
from .trigonometric import TRIGONOMETRIC

Params = Mapping[str, object]
_FLOAT_FAMILIES: tuple[Mapping[str, Callable[..., Value]], ...] = (
    FLOAT,
    EXPONENTIAL,
    POWERS,
    TRIGONOMETRIC,
    HYPERBOLIC,
    ERROR,
    GAMMA,
)
_REAL: dict[str, Callable[..., Value]] = {
    name: formula for family in _FLOAT_FAMILIES for name, formula in family.items()
}
_ANY_DTYPE = frozenset(("select_n", "convert_element_type", "bitcast_convert_type"))
_WITH_PARAMS_FLOAT = frozenset(("round", "reduce_precision", "integer_pow", "nextafter"))
_SIGN_BIT_16 = 0x8000


def element(dtype: str) -> str:
    """The LLVM element type of a dtype in registers; KeyError for a dtype without one.

    >>> element("bool"), element("bfloat16"), element("uint16")
    ('i1', 'bfloat', 'i16')
    """
    return format_of(dtype).element


def storage_bytes(dtype: str) -> int:
    """The size of one item in memory; KeyError for a dtype without a register form.

    >>> storage_bytes("bool"), storage_bytes("float64")
    (1, 8)
    """
    return format_of(dtype).size_bytes


def supports(name: str, dtype: str) -> bool:
    """Whether `apply` knows the operator for the dtype of its first data operand.

    >>> supports("sin", "float16"), supports("sin", "int32"), supports("sin", "complex64")
    (True, False, False)
    """
    if dtype not in FORMATS:
        return False
    kind = FORMATS[dtype].kind
    if name in _ANY_DTYPE:
        return True
    if kind == "f":
        return name in _REAL or name in _WITH_PARAMS_FLOAT
    if kind == "b":
        return name in BOOLEAN
    if name == "threefry2x32":
        return dtype == "uint32"
    return name in INTEGER or name in BITWISE or name == "integer_pow"


def apply(
    builder: Builder, name: str, dtype: str, operands: Sequence[Value], params: Params
) -> tuple[Value, ...]:
    """Writes one operator.

    Args:
        builder: where to write.
        name: the operator, as in `lax`.
        dtype: the dtype of its first data operand. 16-bit floats are worked out in float32.
        operands: the values in registers, scalar or vector; scalars are splatted where they meet
            vectors.
        params: the operator's parameters: `y` of integer_pow, `rounding_method` of round (0: ties
            away from zero, 1: ties to even), `new_dtype` of the conversions, `exponent_bits` and
            `mantissa_bits` of reduce_precision.

    Returns:
        The results: one, but two for threefry2x32. Accuracy stands with the formulas.

    Raises:
        NotImplementedError: `supports` denies the operator.

    >>> b = Builder()
    >>> x = Value(b, "%x", "i8", 1, 0)
    >>> (y,) = apply(b, "not", "int8", [x], {})
    >>> print(b.body())
      %v1 = xor i8 %x, -1
    """
    if not supports(name, dtype):
        raise NotImplementedError(f"no scalar formula of {name} for {dtype}")
    if name == "threefry2x32":
        return threefry2x32(builder, *operands)
    if name in _ANY_DTYPE:
        return (_any_dtype(builder, name, dtype, operands, params),)
    kind = FORMATS[dtype].kind
    if kind == "b":
        return (BOOLEAN[name](builder, *operands),)
    if kind == "f":
        return (_float(builder, name, dtype, operands, params),)
    return (_integer(builder, name, kind == "i", operands, params),)


def apply_by_call(
    builder: Builder, name: str, dtype: str, operands: Sequence[Value], params: Params
) -> tuple[Value, ...]:
    """`apply`, as a call of a function that is written once for the module. For one result."""
    return (outlined(builder, apply, name, dtype, operands, params),)


def _integer_param(params: Params, name: str) -> int:
    value = params[name]
    if not isinstance(value, int):
        raise TypeError(f"expected an integer for {name}, got {value!r}")
    return int(value)


def _any_dtype(
    b: Builder, name: str, dtype: str, operands: Sequence[Value], params: Params
) -> Value:
    if name == "select_n":
        return select_n(b, operands[0], operands[1:])
    new = str(params["new_dtype"])
    if name == "convert_element_type":
        return convert(b, operands[0], dtype, new)
    return bitcast(b, operands[0], new)


def _integer(
    b: Builder, name: str, signed: bool, operands: Sequence[Value], params: Params
) -> Value:
    if name == "integer_pow":
        return integer_power(b, operands[0], _integer_param(params, "y"))
    if name in BITWISE:
        return BITWISE[name](b, *operands)
    return INTEGER[name](b, signed, *operands)


def _float(b: Builder, name: str, dtype: str, operands: Sequence[Value], params: Params) -> Value:
    own = FORMATS[dtype].element
    short = own in ("half", "bfloat")
    if short and name in ("neg", "abs", "copysign"):
        return _sign_bit(b, name, operands)
    if name == "nextafter":
        return nextafter(b, *operands)
    values = [widen(b, x) for x in operands]
    result = _wide_float(b, name, values, params)
    return narrow(b, result, own) if short and result.element == "float" else result


def _wide_float(b: Builder, name: str, values: Sequence[Value], params: Params) -> Value:
    if name == "integer_pow":
        return integer_power(b, values[0], _integer_param(params, "y"))
    if name == "round":
        away = _integer_param(params, "rounding_method") == 0
        return round_away(b, values[0]) if away else b.intrinsic("roundeven", values[0])
    if name == "reduce_precision":
        bits = _integer_param(params, "exponent_bits"), _integer_param(params, "mantissa_bits")
        return reduce_precision(b, values[0], *bits)
    return _REAL[name](b, *values)


def _sign_bit(b: Builder, name: str, operands: Sequence[Value]) -> Value:
    """neg, abs and copysign of 16-bit floats, on their patterns."""
    x = operands[0]
    pattern = b.bits(x)
    if name == "neg":
        return b.float_of_bits(pattern ^ _SIGN_BIT_16, x.element)
    size = pattern & (_SIGN_BIT_16 - 1)
    if name == "copysign":
        # Written with a choice: LLVM 22 makes a bfloat fcopysign of masks, which its x86 back end
        # cannot select.
        size = b.select(b.compare("slt", b.bits(operands[1]), 0), size | _SIGN_BIT_16, size)
    return b.float_of_bits(size, x.element)
