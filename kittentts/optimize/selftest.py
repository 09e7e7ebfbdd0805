"""Whether this CPU multiplies unsigned by signed 8-bit integers exactly. Needs no onnx.

ONNX Runtime's kernel for x86 CPUs without VNNI adds two neighbouring products in 16 bits (`vpmaddubsw`), which saturate
at 32,767. A graph made on one CPU may meet another, in a home directory that is shared or an image that is copied. So
its record says what its largest such pair is, and is used only where a product with pairs of this size is exact.
"""

from __future__ import annotations

import base64
import functools
from typing import TYPE_CHECKING

import numpy as np

from kittentts.optimize.session import open_single_threaded

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_PAIR = 256
"""No two signed 8-bit integers of one sign add up to more."""
SAFE_PAIR = 128
"""255 * 128 < 32,767: up to here nothing saturates."""

# y = MatMulInteger(a, b), a uint8 of shape (m, k), b int8 of shape (k, n); made by tests/optimize/test_selftest.py
_MATMUL = base64.b64decode(
    "CAgSCWtpdHRlbnR0czppChgKAWEKAWISAXkiDU1hdE11bEludGVnZXISCHNlbGZ0ZXN0WhUKAWESEAoOCAISCgoDEgFtCgMSAWtaFQoBYhIQCg4I"
    "AxIKCgMSAWsKAxIBbmIVCgF5EhAKDggGEgoKAxIBbQoDEgFuQgQKABAN"
)


@functools.cache
def is_exact(largest_pair: int) -> bool:
    """Return whether products are exact here with neighbouring weights that add up to 0 to 256; takes 10 ms."""
    # 70 rows are no multiple of the rows that a kernel takes at once, so that its last, shorter block is tested too
    weights = _worst_weights(largest_pair, rows=70, columns=40)
    activations = np.full((9, len(weights)), 255, np.uint8)
    # other sums than the largest one, too
    activations[1::3, 1::2] = 0
    activations[2::3] = np.arange(len(weights)) * 5 % 256
    (found,) = open_single_threaded(_MATMUL).run(None, {"a": activations, "b": weights})
    return bool(np.array_equal(found, activations.astype(np.int64) @ weights.astype(np.int64)))


def _worst_weights(largest_pair: int, rows: int, columns: int) -> NDArray[np.int8]:
    """Return weights, int8 of shape (rows, columns), positive and negative columns in turn."""
    half = largest_pair // 2
    pair = np.array([[largest_pair - half, half - largest_pair], [half, -half]]).clip(-128, 127)
    return np.tile(pair, (rows // 2, columns // 2)).astype(np.int8)
