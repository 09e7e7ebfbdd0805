"""The order of packed weights, and where their zero point goes."""

import itertools

import numpy as np
import pytest

from kittentts.optimize.native_weights import packed_weights


@pytest.mark.parametrize("kind", [np.int8, np.uint8])
@pytest.mark.parametrize("shape", [(1, 1, 1), (8, 4, 2), (9, 5, 3), (16, 12, 1), (23, 7, 5)])
@pytest.mark.parametrize("each", [True, False])
def test_every_weight_has_its_place_and_its_value(kind, shape, each):
    random = np.random.default_rng(3)
    limits = np.iinfo(kind)
    weights = random.integers(limits.min, limits.max, shape, kind, endpoint=True)
    weights[::2] //= 2
    zero = random.integers(limits.min, limits.max, shape[0] if each else (), kind, endpoint=True)
    packed, rest = packed_weights(weights, zero)
    outputs, channels, taps = shape
    assert (packed.dtype, rest.dtype, rest.shape) == (np.int8, np.int8, (outputs,))
    assert packed.shape == (-(-outputs // 8), -(-channels // 4), taps, 8, 4)
    differences = weights.astype(int) - zero.astype(int).reshape(-1, 1, 1)
    for row, channel, tap in itertools.product(*map(range, shape)):
        found = int(packed[row // 8, channel // 4, tap, row % 8, channel % 4]) - int(rest[row])
        assert found == differences[row, channel, tap]
        packed[row // 8, channel // 4, tap, row % 8, channel % 4] = 0
    assert not packed.any()


@pytest.mark.parametrize(
    ("kind", "row", "zero", "rest"),
    [
        (np.uint8, [0, 127], 64, 0),
        (np.uint8, [0, 255], 128, 0),
        (np.uint8, [0, 255], 127, -1),
        (np.uint8, [0, 128], 0, -128),
        (np.int8, [-128, 127], 0, 0),
        (np.int8, [-128, 0], -100, 0),
        (np.int8, [-128, 127], 1, 1),
    ],
)
def test_the_zero_point_is_taken_in_where_differences_are_int8(kind, row, zero, rest):
    _, found = packed_weights(np.array([[row]], kind), kind(zero))
    assert found == [rest]
