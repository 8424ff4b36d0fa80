"""Why a target is missed, where it is: known causes, and what was tried."""

REMARKS = {
    "50 elementwise operators": (
        "Two thirds of the time is LLVM's code generation, and half of that is one `sin`: its "
        "exact argument reduction for huge arguments, which JAX does not have, is 120 of the 390 "
        "lines. A formula that a nest uses again is compiled once; LLVM's options for scheduling "
        "and peepholes saved less than a tenth."
    ),
    "value_and_grad of a network, 784-512-512-10, batch 128": (
        "Eight matrix products at 200 to 230 of the core's 226 GFLOP/s, as in JAX, and sums over "
        "the columns of their results, which JAX fuses into them."
    ),
    "512 x 512 by 512 x 512": "Both run at the limit of the core.",
    "96 of 128 x 64 by 64 x 128": (
        "Alone it takes 1.0 ms; here other libraries empty the caches between two calls, and the "
        "copies of both operands wait for memory. Asking for lines early took a third away."
    ),
    "sort 1e6": (
        "NumPy's own sort, and a look for zeros of both signs, which must stay in their order."
    ),
    "1e6 added to 1000 places": (
        "One addition after the other, each element's place checked; the same order for any number "
        "of threads."
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
