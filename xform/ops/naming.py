"""Names for values, by which a checkpoint's policy knows them."""

from __future__ import annotations

from ..core.loops import Piece, View
from ..core.primitive import Domain, Primitive, define, elementwise

# The tangent of a named value has no name: names are for what may be kept.
name: Primitive = define(
    "name",
    params=("name",),
    abstract_eval=lambda x, *, name: x,
    impl=lambda x, *, name: x,
    jvp=(lambda t, y, x, *, name: t,),
    transpose=lambda ct, x, *, name: ct,
    batch=elementwise,
    lower=View(lambda index, read, x, *, name: [Piece(0, tuple(index))]),
    domain=Domain(
        cases=((((7,),), {"name": "a"}), (((),), {"name": "b"}), (((2, 0),), {"name": "c"})),
        dtypes=("float32", "float64", "int32", "bool"),
    ),
)
