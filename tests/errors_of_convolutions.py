"""The cases of `test_errors.py` about convolutions."""

from collections.abc import Callable
from typing import Any

import numpy as np

from xform import lax

CASES: dict[str, Callable[[], Any]] = {}

IMAGES = np.ones((1, 8, 8, 3), np.float32)
KERNEL = np.ones((3, 3, 3, 16), np.float32)


def case(function: Callable[[], Any]) -> Callable[[], Any]:
    CASES[function.__name__] = function
    return function


@case
def features_that_differ():
    lax.conv(IMAGES, np.ones((16, 3, 3, 3), np.float32), (1, 1), "SAME")


@case
def letters_of_dimensions():
    numbers = ("NHWC", "HWCO", "NHWC")
    lax.conv_general_dilated(IMAGES, KERNEL, (1, 1), "SAME", dimension_numbers=numbers)


@case
def padding_as_one_number():
    lax.conv_general_dilated(IMAGES, KERNEL, (1, 1), 1, dimension_numbers=("NHWC", "HWIO", "NHWC"))


@case
def padding_that_cuts_all_off():
    numbers = ("NHWC", "HWIO", "NHWC")
    pads = [(-5, -5), (0, 0)]
    lax.conv_general_dilated(IMAGES, KERNEL, (1, 1), pads, dimension_numbers=numbers)


@case
def named_padding_of_a_spread_array():
    lax.conv_with_general_padding(IMAGES, KERNEL, (1, 1), "SAME", (2, 2), None)
