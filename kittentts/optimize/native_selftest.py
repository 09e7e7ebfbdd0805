"""Whether kittentts-native computes the bits of this ONNX Runtime on this CPU. Needs no onnx.

A graph that was made here may meet another CPU, another ONNX Runtime or another build of the library. So before it is
opened, the library's integer products are compared with numpy's, for the largest that 8 bits allow; and its sums,
sines and spectra with those of ONNX Runtime's own operators, whose bits the original graph has and no standard defines.
"""

from __future__ import annotations

import base64
import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.optimize.session import open_single_threaded
from kittentts.runtime.onnx_graph import onnxruntime_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANNELS_IN, CHANNELS_OUT, TAPS = 6, 9, 3
# no multiple of 16, so that rows begin at any address, and vectors are not full
_TIME = 67
# of the numbers that are normalized: an inexact square root is one for some variances only (ONNX Runtime 1.20 has one)
_SIZES = (1, 1.37, 1.74, 2.11, 2.48, 2.85)

# made by tests/optimize/test_native_selftest.py, which says what it computes
_GRAPH = base64.b64decode(
    "CAgSCWtpdHRlbnR0czrbEgqHAQoBeAoFc2NhbGUKBXNoaWZ0CgRvbmVzCgV6ZXJvcxIGbmF0aXZlIgxBZGFwdGl2ZU5vcm0qGwoKYWN0aXZhdGlv"
    "biIKbGVha3lfcmVsdaABAyoPCgVhbHBoYRXNzEw+oAEBKhgKBGZvcm0iDWluc3RhbmNlX25vcm2gAQM6CWtpdHRlbnR0cwpkCgF4CgVzY2FsZQoF"
    "c2hpZnQKAAoACgVhbHBoYQoHaW52ZXJzZRIMbmF0aXZlX3NuYWtlIgxBZGFwdGl2ZU5vcm0qFgoKYWN0aXZhdGlvbiIFc25ha2WgAQM6CWtpdHRl"
    "bnR0cwoxCgF4CgRvbmVzCgV6ZXJvcxIIaW5zdGFuY2UiFUluc3RhbmNlTm9ybWFsaXphdGlvbgonCghpbnN0YW5jZQoFc2NhbGUSD2luc3RhbmNl"
    "X3NjYWxlZCIDTXVsCi8KD2luc3RhbmNlX3NjYWxlZAoFc2hpZnQSEGluc3RhbmNlX3NoaWZ0ZWQiA0FkZAo4ChBpbnN0YW5jZV9zaGlmdGVkEghz"
    "dGFuZGFyZCIJTGVha3lSZWx1Kg8KBWFscGhhFc3MTD6gAQEKGwoBeAoEYXhpcxIEbWVhbiIKUmVkdWNlTWVhbgoRCgF4CgRtZWFuEgFkIgNTdWIK"
    "FAoBZAoBZBIHc3F1YXJlcyIDTXVsCiUKB3NxdWFyZXMKBGF4aXMSCHZhcmlhbmNlIgpSZWR1Y2VNZWFuCiIKCHZhcmlhbmNlCgdlcHNpbG9uEghw"
    "b3NpdGl2ZSIDQWRkChsKCHBvc2l0aXZlEglkZXZpYXRpb24iBFNxcnQKGwoBZAoJZGV2aWF0aW9uEgZub3JtYWwiA0RpdgocCgZub3JtYWwKBXNj"
    "YWxlEgZzY2FsZWQiA011bAodCgZzY2FsZWQKBXNoaWZ0EgdzaGlmdGVkIgNBZGQKHAoFYWxwaGEKB3NoaWZ0ZWQSBXBoYXNlIgNNdWwKEgoFcGhh"
    "c2USBHNpbmUiA1NpbgoXCgRzaW5lCgN0d28SBXBvd2VyIgNQb3cKGwoHaW52ZXJzZQoFcG93ZXISBGxhc3QiA011bAokCgdzaGlmdGVkCgRsYXN0"
    "Eg5zdGFuZGFyZF9zbmFrZSIDQWRkChwKAXgKBWZpcnN0EgdzaWduYWxzIgdTcXVlZXplClcKB3NpZ25hbHMKBndpbmRvdxILbmF0aXZlX3N0ZnQi"
    "BFN0ZnQqEwoMZnJhbWVfbGVuZ3RoGBSgAQIqEQoKZnJhbWVfc3RlcBgFoAECOglraXR0ZW50dHMKNAoHc2lnbmFscwoEc3RlcAoGd2luZG93CgZs"
    "ZW5ndGgSDXN0YW5kYXJkX3N0ZnQiBFNURlQKbwoJcXVhbnRpemVkCgAKB3dlaWdodHMKAAoDb25lCgRiaWFzEgdwcm9kdWN0Ig1RdWFudGl6ZWRD"
    "b252KhIKC2NoYW5uZWxzX2luGAagAQIqEwoMY2hhbm5lbHNfb3V0GAmgAQI6CWtpdHRlbnR0cxIIc2VsZnRlc3QqFAgBEAdCBGF4aXNKCAIAAAAA"
    "AAAAKhEQAUIHZXBzaWxvbkoErMUnNyoNEAFCA3R3b0oEAAAAQCokCAYQAUIEb25lc0oYAACAPwAAgD8AAIA/AACAPwAAgD8AAIA/KiUIBhABQgV6"
    "ZXJvc0oYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKpgDCAIIAggDCAgIBBADQgd3ZWlnaHRzSoADf39/f4CAgICA717Nf39/f4CAgIAaifhnf39/"
    "f4CAgIB/f39/gICAgKUUg/J/f39/gICAgD+uHYx/f39/gICAgH9/f3+AgICAyjmoF39/f3+AgICAZNNCsX9/f3+AgICAf38AAICAAAA8qwAAf38A"
    "AICAAADWRQAAf38AAICAAAB/fwAAgIAAAGHQAAB/fwAAgIAAAPtqAAB/fwAAgIAAAH9/AACAgAAAhvUAAH9/AACAgAAAII8AAH9/AACAgAAAtCOS"
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADZSLcmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP5t3EsAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAcN8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACVBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALopAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAKg0QAUIDb25lSgQAAIA/KjAICRAGQgRiaWFzSiQBAAAAAQAAAAEAAAABAAAAAQAAAAEAAAABAAAAAQAAAAEA"
    "AAAqFQgBEAdCBWZpcnN0SggAAAAAAAAAACpeCBQQAUIGd2luZG93SlAAAAAAve7dPI3r1z1p9mc+3SfBPvaRCj/BajM/KrFWP5mScD8WQX4/FkF+"
    "P5mScD8qsVY/wWozP/aRCj/dJ8E+afZnPo3r1z297t08AAAAACoSEAdCBHN0ZXBKCAUAAAAAAAAAKhQQB0IGbGVuZ3RoSggUAAAAAAAAAFoYCgF4"
    "EhMKEQgBEg0KAggBCgIIBgoDEgF0WhsKBXNjYWxlEhIKEAgBEgwKAggBCgIIBgoCCAFaGwoFc2hpZnQSEgoQCAESDAoCCAEKAggGCgIIAVobCgVh"
    "bHBoYRISChAIARIMCgIIAQoCCAYKAggBWh0KB2ludmVyc2USEgoQCAESDAoCCAEKAggGCgIIAVogCglxdWFudGl6ZWQSEwoRCAISDQoCCAEKAggG"
    "CgMSAXRiJQoGbmF0aXZlEhsKGQgBEhUKAggBCgoSCGNoYW5uZWxzCgMSAXRiJwoIc3RhbmRhcmQSGwoZCAESFQoCCAEKChIIY2hhbm5lbHMKAxIB"
    "dGIrCgxuYXRpdmVfc25ha2USGwoZCAESFQoCCAEKChIIY2hhbm5lbHMKAxIBdGItCg5zdGFuZGFyZF9zbmFrZRIbChkIARIVCgIIAQoKEghjaGFu"
    "bmVscwoDEgF0YiwKC25hdGl2ZV9zdGZ0Eh0KGwgBEhcKAxIBbgoIEgZmcmFtZXMKAggLCgIIAmIuCg1zdGFuZGFyZF9zdGZ0Eh0KGwgBEhcKAxIB"
    "bgoIEgZmcmFtZXMKAggLCgIIAmImCgdwcm9kdWN0EhsKGQgBEhUKAggBCgoSCGNoYW5uZWxzCgMSAXRCBAoAEBJCDQoJa2l0dGVudHRzEAE="
)


@functools.cache
def is_native_exact() -> bool:
    """Return whether the library's results are right, in about 4 ms; there must be one that can be used."""
    # RuntimeError: the library cannot be loaded
    errors: tuple[type[Exception], ...] = (RuntimeError, *onnxruntime_errors())
    try:
        session = open_single_threaded(_GRAPH)
        return all(_is_exact(session.run(None, _inputs(size))) for size in _SIZES)
    except errors:
        return False


def _is_exact(outputs: list[NDArray[Any]]) -> bool:
    *outputs, product = outputs
    # of the library and of ONNX Runtime, in turn
    pairs = zip(outputs[::2], outputs[1::2], strict=True)
    return all(one.tobytes() == other.tobytes() for one, other in pairs) and np.array_equal(product[0], _product())


def worst_weights() -> NDArray[np.int8]:
    """Return weights of shape (9, 6, 3): the largest, the smallest, and some of all sizes, in turn."""
    weights = np.full((CHANNELS_OUT, CHANNELS_IN, TAPS), 127, np.int8)
    weights[1::3] = -128
    weights[2::3] = (np.arange(weights[2::3].size) * 37 % 256 - 128).reshape(weights[2::3].shape)
    return weights


def _inputs(size: float) -> dict[str, NDArray[Any]]:
    channels = np.arange(CHANNELS_IN, dtype=np.float32).reshape(1, -1, 1)
    return {
        # one channel whose sines are of numbers beyond 25,966, where they are computed in another way
        "x": np.cos(np.arange(CHANNELS_IN * _TIME, dtype=np.float32) ** 1.5).reshape(1, CHANNELS_IN, _TIME)
        * np.float32(size),
        "scale": np.float32(1.5) ** channels * np.where(channels == CHANNELS_IN - 1, np.float32(3e4), np.float32(1)),
        "shift": channels - 2,
        "alpha": 1 / (1 + channels),
        "inverse": 1 + channels,
        "quantized": _quantized()[np.newaxis],
    }


def _quantized() -> NDArray[np.uint8]:
    values = np.full((CHANNELS_IN, _TIME), 255, np.uint8)
    values[:, 40:] = np.arange(values[:, 40:].size).reshape(CHANNELS_IN, -1) * 5 % 256
    return values


def _product() -> NDArray[np.float32]:
    """Return what the convolution must give: no padding, a bias of 1, a scale of 1."""
    weights, values = worst_weights().astype(np.int64), _quantized().astype(np.int64)
    times = _TIME - TAPS + 1
    products = np.stack([weights[:, :, tap] @ values[:, tap : tap + times] for tap in range(TAPS)])
    summed: NDArray[np.int64] = products.sum(axis=0)
    return (summed + 1).astype(np.float32)
