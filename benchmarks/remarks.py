"""Why a target is missed, where it is: known causes, and what was tried."""

REMARKS = {
    "50 elementwise operators": (
        "Two thirds of the time is LLVM's code generation, and half of that is one `sin`: its "
        "exact argument reduction for huge arguments, which JAX does not have, is 120 of the 390 "
        "lines. A formula that a nest uses again is compiled once; LLVM's options for scheduling "
        "and peepholes saved less than a tenth."
    ),
    "value_and_grad of a network, 784-512-512-10, batch 128": (
        "The eight matrix products alone take 4.4 ms in SciPy's OpenBLAS on this machine, near "
        "the limit of one core, and all other loops 0.05 ms. Four vectors side by side in the sums "
        "over columns, and products made in the order that is wanted instead of transposed, are "
        "in; NumPy's newer OpenBLAS would take 0.1 ms less."
    ),
    "training step of a network by pmap and pmean": (
        "Matrix products again: each device calls SciPy's OpenBLAS, and JAX's products are faster "
        "in the row of one device as well, by more than here."
    ),
    "chain of 300 operators": (
        "A hundred `tanh`, compiled once and called since; on a loaded machine the Python part of "
        "tracing and fusing weighs more."
    ),
    "import xform, import jax": (
        "Without cached bytecode the source files are compiled at every start; the row is "
        "measured with a cache."
    ),
}
