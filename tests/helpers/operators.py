"""Graphs with the operators of `kittentts-native`, or with ONNX Runtime's own, and the same computation in NumPy."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from kittentts.optimize.native_weights import packed_weights

if TYPE_CHECKING:
    from onnx import NodeProto

_TYPES = {
    "float32": TensorProto.FLOAT,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "int32": TensorProto.INT32,
}


def native(name: str, inputs: list[str], outputs: list[str], **attributes) -> NodeProto:
    return helper.make_node(name, inputs, outputs, domain="kittentts", **attributes)


def run(nodes, inputs, constants, outputs, *, library=None, threads=1):
    """Outputs of the graph of these nodes; `inputs` and `constants`: name -> array; `outputs`: name -> type."""
    session = opened(nodes, inputs, constants, outputs, library=library, threads=threads)
    return session.run(list(outputs), inputs)


def opened(nodes, inputs, constants, outputs, *, library=None, threads=1):
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(k, _TYPES[str(v.dtype)], [None] * v.ndim) for k, v in inputs.items()],
        [helper.make_tensor_value_info(k, _TYPES[v], None) for k, v in outputs.items()],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("kittentts", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # errors are raised, too
    if library is not None:
        options.register_custom_ops_library(str(library))
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def same_bits(a, b) -> bool:
    """Whether two float32 arrays are the same bit for bit, but for which "not a number" it is."""
    if a.shape != b.shape:
        return False
    return bool(np.all((a.view(np.uint32) == b.view(np.uint32)) | (np.isnan(a) & np.isnan(b))))


# ---- convolution ----


def packed(w, w_zero=0):
    """Return the constants w and w_zero of the library's convolutions, and the attributes with their sizes.

    Signed weights keep their zero point, so that the operator has one to subtract.
    """
    zero = np.asarray(w_zero, w.dtype)
    weights, rest = packed_weights(w, zero if w.dtype == np.uint8 else np.zeros_like(zero))
    sizes = {"channels_out": w.shape[0], "channels_in": w.shape[1]}
    return {"w": weights, "w_zero": rest if w.dtype == np.uint8 else zero}, sizes


def frames_out(frames, taps, stride, dilation, pads):
    return (frames + sum(pads) - dilation * (taps - 1) - 1) // stride + 1


def convolution(x, x_zero, w, w_zero, stride, dilation, pads):
    """ConvInteger in NumPy; int64, so that nothing wraps."""
    differences = np.pad(x.astype(np.int64) - int(x_zero), ((0, 0), (0, 0), pads))
    weights = w.astype(np.int64) - np.asarray(w_zero, np.int64).reshape(-1, 1, 1)
    frames = frames_out(x.shape[2], w.shape[2], stride, dilation, pads)
    starts = np.arange(frames) * stride
    columns = np.stack([differences[:, :, starts + k * dilation] for k in range(w.shape[2])], axis=-1)
    return np.einsum("nctk,mck->nmt", columns, weights)


def dequantized(sums, bias, scale, residual):
    y = (sums + np.asarray(bias, np.int64).reshape(-1, 1)).astype(np.int32).astype(np.float32)
    y = y * np.asarray(scale, np.float32).reshape(-1, 1)
    return y if residual is None else y + residual


def quantization(x):
    """Scale and zero point of DynamicQuantizeLinear."""
    low, high = np.float32(min(x.min(), 0)), np.float32(max(x.max(), 0))
    scale = np.float32(1) if low == high else (high - low) / np.float32(255)
    return scale, np.uint8(np.rint(np.clip(-low / scale, 0, 255)))


# ---- normalization ----


def ordered_sum(x, offset):
    """Sum of a row in Eigen's order with SSE2; the row begins `offset` elements after a 16-byte boundary."""
    start = min(-offset % 4, len(x))
    end8, end4 = (start + (len(x) - start) // n * n for n in (8, 4))
    if end4 == start:
        return _in_order(np.float32(x[0]), x[1:])
    lanes = x[start : start + 4]
    if end8 > start:
        eights = x[start:end8].reshape(-1, 8)
        sums = eights[0]
        for eight in eights[1:]:
            sums = sums + eight
        lanes = sums[:4] + sums[4:]
        if end4 > end8:
            lanes = lanes + x[end8:end4]
    total = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
    return _in_order(_in_order(total, x[:start]), x[end4:])


def _in_order(total, values):
    for value in values:
        total = total + value
    return total


@cache
def _libm(name):
    function = getattr(ctypes.CDLL(ctypes.util.find_library("m")), name)
    function.argtypes, function.restype = [ctypes.c_float], ctypes.c_float
    return function


def _root(angles):
    """Cosine and sine of float32 angles by the C library, as two arrays."""
    return tuple(np.float32([_libm(name)(float(angle)) for angle in angles]) for name in ("cosf", "sinf"))


def sine(x):
    """Eigen's sine with SSE2 for |x| < 25966; the last `size mod 4` elements take the C library's."""
    f = np.float32
    magnitude = np.abs(x)
    rounded = magnitude * f(0.636619746685028076171875) + f(12582912)
    y, quadrant = rounded - f(12582912), rounded.view(np.uint32)
    r = magnitude
    constants = (-1.5703125, -0.000483989715576171875, 1.62865035235881805419921875e-07, 5.5644315544167710640977e-11)
    for constant in constants:
        r = y * f(constant) + r
    r2 = r * r
    even, odd = f(2.4372266125283204e-05), f(-0.0001959234114083703)
    for constant in (-0.00138865201734006404876708984375, 0.041666619479656219482421875, -0.5, 1.0):
        even = even * r2 + f(constant)
    for constant in (0.00833268736556166, -0.16666662039822983):
        odd = odd * r2 + f(constant)
    odd = odd * r2 * r + r
    sign = (x.view(np.uint32) ^ (quadrant << np.uint32(30))) & np.uint32(0x80000000)
    result = (np.where(quadrant & 1, even, odd).astype(f).view(np.uint32) ^ sign).view(f)
    flat, last = result.reshape(-1), x.size // 4 * 4
    flat[last:] = [_libm("sinf")(float(value)) for value in x.reshape(-1)[last:]]
    return result


def normalized(x, epsilon, weight=None, bias=None):
    """AdaptiveNorm before its scale: the form "instance_norm" with weight and bias, else "reduce_mean"."""
    f = np.float32
    frames = f(x.shape[2])
    rows = x.reshape(-1, x.shape[2])
    out = np.empty_like(rows)
    for i, row in enumerate(rows):
        offset = i * x.shape[2]
        mean = ordered_sum(row, offset) / frames
        d = row - mean
        root = np.sqrt(ordered_sum(d * d, offset if weight is None else 0) / frames + f(epsilon))
        if weight is None:
            out[i] = d / root
        else:
            channel = i % x.shape[1]
            gain = (f(1) / root) * weight[channel]
            out[i] = row * gain + (bias[channel] - mean * gain)
    return out.reshape(x.shape)


# ---- Fourier transform; complex numbers are pairs of float32 arrays, each step rounded ----


def _times(a, b):
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _transform(values, turns):
    """Radix 2, over the first axis; turns are in the order of reversed bits."""
    size = len(values[0])
    bits = size.bit_length() - 1
    order = [int(f"{i:0{bits}b}"[::-1], 2) for i in range(size)]
    one = (np.float32(1), np.float32(0))
    out = [part.copy() for part in _times(_times(one, [part[order] for part in values]), one)]
    length = 2
    while length <= size:
        half = length // 2
        for k in range(half):
            first, second = (order[i] * length // size for i in (k, half + k))
            for j in range(k, size, length):
                even, odd = ([part[i].copy() for part in out] for i in (j, j + half))
                for i, turn in ((j, first), (j + half, second)):
                    product = _times([part[turn] for part in turns], odd)
                    for part in (0, 1):
                        out[part][i] = even[part] + product[part]
        length *= 2
    return out


def stft(signal, window, step):
    """STFT of float32 [N, L], one-sided, by Bluestein's method as in ONNX Runtime."""
    f = np.float32
    length = len(window)
    size = 1 << (2 * length - 2).bit_length()
    bits = size.bit_length() - 1
    turns = _root([f(int(f"{i:0{bits}b}"[::-1], 2)) * (-(f(2) * f(3.14159265)) / f(size)) for i in range(size)])
    chirp = _root([-f(3.14159265) * f(n) * f(n) / f(length) for n in range(length)])
    column = [part[:, None] for part in chirp]
    filtered = [np.zeros((size, 1), f) for _ in range(2)]
    for n in range(length):
        for i in {n, (size - n) % size}:
            filtered[0][i], filtered[1][i] = chirp[0][n], -chirp[1][n]
    filtered = _transform(filtered, turns)

    frames = (signal.shape[1] - length) // step + 1
    windows = np.stack([signal[:, i * step : i * step + length] for i in range(frames)], axis=1).reshape(-1, length).T
    a = [np.zeros((size, windows.shape[1]), f) for _ in range(2)]
    product = _times((windows * window[:, None], f(0) * np.broadcast_to(window[:, None], windows.shape)), column)
    a[0][:length], a[1][:length] = product
    spectrum = _times(_transform(a, turns), filtered)
    back = [part / f(size) for part in _transform(spectrum, turns)]
    bins = length // 2 + 1
    picked = [part[[0, *range(size - 1, size - bins, -1)]] for part in back]
    real, imag = _times(picked, [part[:bins, None] for part in chirp])
    return np.stack([real.T, imag.T], axis=-1).reshape(signal.shape[0], frames, bins, 2)
