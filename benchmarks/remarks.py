"""Why a target is missed, where it is: known causes, and what was tried."""

REMARKS = {
    "50 elementwise operators": (
        "Two thirds of the time is LLVM's code generation, and half of that is one `sin`: its exact "
        "argument reduction for huge arguments, which JAX does not have, is 120 of the 390 lines. A "
        "formula that a nest uses again is compiled once; LLVM's scheduling and peephole options "
        "saved less than a tenth. Without `sin` the row takes about half as long."
    ),
    "value_and_grad of a network, 784-512-512-10, batch 128": (
        "The eight matrix products alone take 4.3 ms in OpenBLAS on this machine (94 GFLOP/s), so "
        "both libraries stand at the limit of one core; runs fall on either side of JAX's time."
    ),
    "chain of 300 operators": (
        "A hundred `tanh`: compiled once and called since; on a loaded machine the Python part of "
        "tracing and fusing weighs more."
    ),
    "import xform, import jax": (
        "Without cached bytecode the source files are compiled at every start, as happens with "
        "`PYTHONDONTWRITEBYTECODE` and an editable install; the row is measured with a cache."
    ),
}
