"""Weights of a convolution as the kernels of kittentts-native read them: in place, in the order in which they multiply.

`native/OPERATORS.md` says which order that is. Needs no onnx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROWS = 8
"""Output channels that a kernel computes at a time."""
_GROUP = 4
"""Input channels that one instruction multiplies and adds."""


def packed_weights(weights: NDArray[Any], zero: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return the inputs w and w_zero_point of the operators.

    The zero point is taken into the weights of an output where the differences are int8; then its own is 0. Else uint8
    weights and their zero point are moved by 128, so that both are int8.

    Args:
        weights: (M, C, K), int8 or uint8.
        zero: of the weights' type, one element or M.

    Returns:
        (ceil(M / 8), ceil(C / 4), K, 8, 4), 0 beyond M and C; and (M,).
    """
    outputs, channels, taps = weights.shape
    zeros = np.broadcast_to(zero.astype(np.int16).reshape(-1, 1, 1), (outputs, 1, 1))
    differences = weights - zeros
    is_int8 = (differences == differences.astype(np.int8)).all(axis=(1, 2), keepdims=True)
    moved = np.where(is_int8, zeros, 128 if weights.dtype == np.uint8 else 0)
    padded = np.pad((weights - moved).astype(np.int8), [(0, -outputs % _ROWS), (0, -channels % _GROUP), (0, 0)])
    blocks = padded.reshape(len(padded) // _ROWS, _ROWS, -1, _GROUP, taps)
    return np.ascontiguousarray(blocks.transpose(0, 2, 4, 1, 3)), (zeros - moved).reshape(-1).astype(np.int8)
