"""A float32 graph of the shape of kitten-tts-nano-0.8, with random weights: what is measured with it is synthetic.

    python benchmarks/bench_optimize.py --model nano-like

The real weights are not needed to know how long a graph takes. The sizes below are those of the real one, known from
ports of it to other languages: 14.0 million parameters in 56 MB, inputs and outputs of the same names. The sound is no
voice, but it is finite, not silent and mostly in range, and tokens are about as long as those of speech.

T is the number of frames of 600 samples, 40 in a second; the pitch has 2 T, the generator 20 T and then 120 T + 1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kittentts.models.cache import cache_directory, replaced_directory, sha1

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "nano-like"
_ALIASES = {"Jasper": "expr-voice-2-m", "Bella": "expr-voice-2-f", "Bruno": "expr-voice-3-m", "Leo": "expr-voice-5-m"}
_TOKENS, _POSITIONS, _ROWS = 178, 512, 400
# of the voice's row: the first half is for the decoder, the second for durations and pitch
_STYLE = 128
_LONGEST = 50
# tuned: 2.3 frames a token; a tenth of the loudest sound on average
_DURATION_GAIN, _DURATION_MEAN, _LOUDNESS = 10.0, -5.0, -0.9
_HARMONICS, _RATE, _UPSAMPLING = 9, 24000, 300
_WINDOW, _HOP = 20, 5
_BINS = _WINDOW // 2 + 1
_HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
_EPSILON = 1e-5


@dataclass(frozen=True)
class Shape:
    """How wide and how deep; the defaults are the real one's."""

    hidden: int = 128
    bert: int = 768
    heads: int = 12
    feed_forward: int = 2048
    layers: int = 12
    decoder: int = 256
    residual: int = 64
    generator: tuple[int, int] = (128, 64)
    noise: float = 0.0
    """How loud the random nodes are. With 0 they take their time, but two runs give the same samples."""


_REAL = Shape()
SMALL = Shape(hidden=16, bert=24, heads=2, feed_forward=32, layers=2, decoder=24, residual=8, generator=(16, 8))
"""For tests: 0.5 million parameters."""


class _Graph:
    """Nodes and weights while they are made; each method returns the name of a tensor."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self._random = np.random.default_rng(16)

    def constant(self, value: Any, kind: Any = np.float32) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.asarray(value, kind)
        return name

    def integers(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def weights(self, *shape: int, gain: float = 1.0, mean: float = 0.0) -> str:
        """Return normal numbers that keep the size of what is multiplied by a matrix (out, in, ...) of them."""
        scale = gain / np.sqrt(np.prod(shape[1:], initial=1.0))
        return self.constant(self._random.normal(mean, scale, shape))

    def op(self, op_type: str, *inputs: str, named: str | None = None, **attributes: Any) -> str:
        name = named or f"{op_type}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, inputs, [name], name=name, **attributes))
        return name

    def halves(self, x: str, size: int) -> list[str]:
        """(1, 2 size, ...) -> twice (1, size, ...)."""
        names = [f"{x}_first", f"{x}_second"]
        self.nodes.append(helper.make_node("Split", [x, self.integers(size, size)], names, axis=1))
        return names

    def transposed(self, x: str) -> str:
        return self.op("Transpose", x, perm=[0, 2, 1])

    def matrix(self, size: int, out: int, *, gain: float = 1.0, mean: float = 0.0) -> tuple[str, str]:
        """Return the weights of a linear layer, (size, out), and its bias, whose mean is given."""
        weights = self.weights(out, size, gain=gain)
        self.constants[weights] = np.ascontiguousarray(self.constants[weights].T)
        return weights, self.weights(out, gain=0.02, mean=mean)

    def linear(self, x: str, matrix: tuple[str, str]) -> str:
        """(..., size) -> (..., out)."""
        return self.op("Add", self.op("MatMul", x, matrix[0]), matrix[1])

    def convolution(
        self, x: str, size: int, out: int, taps: int, *, stride: int = 1, dilation: int = 1, pad: int | None = None,
        gain: float = 1.0, mean: float = 0.0,
    ) -> str:  # fmt: skip
        """(1, size, time) -> (1, out, time / stride)."""
        pad = dilation * (taps - 1) // 2 if pad is None else pad
        inputs = x, self.weights(out, size, taps, gain=gain), self.weights(out, gain=0.02, mean=mean)
        return self.op("Conv", *inputs, strides=[stride], dilations=[dilation], pads=[pad, pad], kernel_shape=[taps])

    def upsampled(self, x: str, size: int, out: int, taps: int, *, stride: int) -> str:
        """(1, size, time) -> (1, out, stride time), by a transposed convolution."""
        # each sample is the sum of taps / stride products for each channel in
        inputs = x, self.weights(size, out, taps, gain=np.sqrt(out * stride / size)), self.weights(out, gain=0.02)
        pads = [(taps - stride) // 2] * 2
        return self.op("ConvTranspose", *inputs, strides=[stride], pads=pads, kernel_shape=[taps])

    def doubled(self, x: str, size: int) -> str:
        """(1, size, time) -> (1, size, 2 time), each channel on its own."""
        inputs = x, self.weights(size, 1, 3), self.weights(size, gain=0.02)
        shape = {"strides": [2], "pads": [1, 1], "output_padding": [1], "kernel_shape": [3]}
        return self.op("ConvTranspose", *inputs, group=size, **shape)

    def norm(self, size: int) -> tuple[str, str]:
        """Return a scale of 1 and a shift of 0."""
        return self.constant(np.ones(size)), self.constant(np.zeros(size))

    def layer_norm(self, x: str, norm: tuple[str, str]) -> str:
        """Over the last axis."""
        return self.op("LayerNormalization", x, *norm, axis=-1, epsilon=_EPSILON)

    def lstm(self, x: str, size: int, out: int) -> str:
        """(1, time, size) -> (1, time, out), half of it from each direction."""
        half = out // 2
        rows = self.op("Transpose", x, perm=[1, 0, 2])
        weights = [self.weights(2, 4 * half, n, gain=np.sqrt(4 * half)) for n in (size, half)]
        bias = self.weights(2, 8 * half, gain=0.02)
        y = self.op("LSTM", rows, *weights, bias, direction="bidirectional", hidden_size=half)
        return self.op("Reshape", self.op("Transpose", y, perm=[2, 0, 1, 3]), self.integers(1, -1, out))

    def scale_and_shift(self, style: str, size: int) -> tuple[str, str]:
        """(1, 128) -> twice (1, size, 1): 1 + gamma, and beta."""
        both = self.op("Unsqueeze", self.linear(style, self.matrix(_STYLE, 2 * size, gain=0.3)), self.integers(2))
        gamma, beta = self.halves(both, size)
        return self.op("Add", gamma, self.constant(1.0)), beta

    def adain(self, x: str, size: int, style: str) -> str:
        """(1, size, time) -> the same: each channel with the mean and the deviation that the style says."""
        scale, shift = self.scale_and_shift(style, size)
        normal = self.op("InstanceNormalization", x, *self.norm(size), epsilon=_EPSILON)
        return self.op("Add", self.op("Mul", scale, normal), shift)

    def snake(self, x: str, size: int) -> str:
        """Add sin(alpha x)^2 / alpha to x, each channel with its own alpha."""
        alpha = np.exp(self._random.normal(0, 0.2, (1, size, 1)))
        square = self.op("Pow", self.op("Sin", self.op("Mul", self.constant(alpha), x)), self.constant(2.0))
        return self.op("Add", x, self.op("Mul", self.constant(1 / alpha), square))

    def style_block(self, x: str, size: int, out: int, style: str, *, double: bool = False) -> str:
        """(1, size, time) -> (1, out, time), or twice the time."""
        y = self.op("LeakyRelu", self.adain(x, size, style), alpha=0.2)
        if double:
            y = self.doubled(y, size)
            x = self.op("Resize", x, "", self.constant([1, 1, 2]), mode="nearest", nearest_mode="floor",
                        coordinate_transformation_mode="asymmetric")  # fmt: skip
        y = self.convolution(y, size, out, 3)
        y = self.convolution(self.op("LeakyRelu", self.adain(y, out, style), alpha=0.2), out, out, 3)
        if size != out:
            x = self.convolution(x, size, out, 1)
        return self.op("Div", self.op("Add", y, x), self.constant(np.sqrt(2)))

    def snake_block(self, x: str, size: int, style: str, taps: int) -> str:
        """(1, size, time) -> the same."""
        for dilation in (1, 3, 5):
            y = self.snake(self.adain(x, size, style), size)
            y = self.convolution(y, size, size, taps, dilation=dilation)
            y = self.snake(self.adain(y, size, style), size)
            x = self.op("Add", self.convolution(y, size, size, taps), x)
        return x


def make_graph(shape: Shape = _REAL) -> onnx.ModelProto:
    """Return the graph, the same one for the same shape."""
    graph = _Graph(shape)
    for_decoder, for_predictor = graph.halves("style", _STYLE)
    tokens = _duration_features(graph, _bert(graph), for_predictor)
    alignment = _alignment(graph, tokens)
    frames = graph.op("MatMul", graph.transposed(tokens), alignment)
    pitch, energy = _pitch_and_energy(graph, frames, for_predictor)
    text = graph.op("MatMul", _text_features(graph), alignment)
    decoded = _decoded(graph, text, pitch, energy, for_decoder)
    _waveform(graph, _generated(graph, decoded, _source(graph, pitch), for_decoder))
    value, length = helper.make_tensor_value_info, "sequence_length"
    ids = value("input_ids", TensorProto.INT64, [1, length])
    inputs = [ids, value("style", TensorProto.FLOAT, [1, 2 * _STYLE]), value("speed", TensorProto.FLOAT, [1])]
    outputs = [value("waveform", TensorProto.FLOAT, ["samples"]), value("duration", TensorProto.INT64, [length])]
    weights = [numpy_helper.from_array(value, name) for name, value in graph.constants.items()]
    made = helper.make_graph(graph.nodes, NAME, inputs, outputs, weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def _bert(graph: _Graph) -> str:
    """Tokens -> (1, L, hidden): PL-BERT, one ALBERT layer that is applied several times."""
    shape, size = graph.shape, graph.shape.bert
    length = graph.op("Gather", graph.op("Shape", "input_ids"), graph.constant(1, np.int64))
    places = graph.op("Range", graph.constant(0, np.int64), length, graph.constant(1, np.int64))
    words = graph.op("Gather", graph.weights(_TOKENS, shape.hidden, gain=10), "input_ids")
    positions = graph.op("Gather", graph.weights(_POSITIONS, shape.hidden), places)
    x = graph.op("Add", words, positions)
    x = graph.linear(graph.layer_norm(x, graph.norm(shape.hidden)), graph.matrix(shape.hidden, size))
    query, key, value, output = (graph.matrix(size, size) for _ in range(4))
    wide, narrow = graph.matrix(size, shape.feed_forward), graph.matrix(shape.feed_forward, size)
    norms = graph.norm(size), graph.norm(size)
    for _ in range(shape.layers):
        attended = _attention(graph, *(graph.linear(x, matrix) for matrix in (query, key, value)))
        attended = graph.linear(attended, output)
        x = graph.layer_norm(graph.op("Add", x, attended), norms[0])
        fed = graph.linear(_gelu(graph, graph.linear(x, wide)), narrow)
        x = graph.layer_norm(graph.op("Add", fed, x), norms[1])
    return graph.linear(x, graph.matrix(size, shape.hidden))


def _attention(graph: _Graph, *inputs: str) -> str:
    """Query, key and value -> the same shape, (1, L, bert)."""
    heads, width = graph.shape.heads, graph.shape.bert // graph.shape.heads
    split = (graph.op("Reshape", x, graph.integers(1, -1, heads, width)) for x in inputs)
    query, key, value = (graph.op("Transpose", x, perm=[0, 2, 1, 3]) for x in split)
    scores = graph.op("MatMul", query, graph.op("Transpose", key, perm=[0, 1, 3, 2]))
    shares = graph.op("Softmax", graph.op("Div", scores, graph.constant(np.sqrt(width))), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", shares, value), perm=[0, 2, 1, 3])
    return graph.op("Reshape", mixed, graph.integers(1, -1, heads * width))


def _gelu(graph: _Graph, x: str) -> str:
    """Return x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))."""
    cube = graph.op("Mul", graph.op("Pow", x, graph.constant(3.0)), graph.constant(0.044715))
    inner = graph.op("Mul", graph.op("Add", x, cube), graph.constant(np.sqrt(2 / np.pi)))
    tanh = graph.op("Add", graph.op("Tanh", inner), graph.constant(1.0))
    return graph.op("Mul", graph.op("Mul", x, graph.constant(0.5)), tanh)


def _text_features(graph: _Graph) -> str:
    """Tokens -> (1, hidden, L)."""
    size = graph.shape.hidden
    x = graph.transposed(graph.op("Gather", graph.weights(_TOKENS, size, gain=10), "input_ids"))
    for _ in range(2):
        rows = graph.transposed(graph.convolution(x, size, size, 5))
        x = graph.op("LeakyRelu", graph.transposed(graph.layer_norm(rows, graph.norm(size))), alpha=0.2)
    return graph.transposed(graph.lstm(graph.transposed(x), size, size))


def _duration_features(graph: _Graph, x: str, style: str) -> str:
    """(1, L, hidden) -> (1, L, hidden + 128): with the style beside it."""
    size = graph.shape.hidden
    length = graph.op("Gather", graph.op("Shape", x), graph.integers(1))
    each = graph.op("Concat", graph.integers(1), length, graph.integers(_STYLE), axis=0)
    styles = graph.op("Expand", style, each)
    x = graph.op("Concat", x, styles, axis=2)
    for _ in range(2):
        scale, shift = (graph.transposed(one) for one in graph.scale_and_shift(style, size))
        normal = graph.layer_norm(graph.lstm(x, size + _STYLE, size), graph.norm(size))
        x = graph.op("Concat", graph.op("Add", graph.op("Mul", scale, normal), shift), styles, axis=2)
    return x


def _alignment(graph: _Graph, x: str) -> str:
    """(1, L, hidden + 128) -> (1, L, T), 1 where a token sounds; and the output `duration`."""
    size = graph.shape.hidden
    matrix = graph.matrix(size, _LONGEST, gain=_DURATION_GAIN, mean=_DURATION_MEAN)
    x = graph.op("Sigmoid", graph.linear(graph.lstm(x, size + _STYLE, size), matrix))
    seconds = graph.op("Div", graph.op("ReduceSum", x, graph.integers(-1), keepdims=0), "speed")
    frames = graph.op("Clip", graph.op("Round", seconds), graph.constant(1.0))
    frames = graph.op("Cast", frames, to=TensorProto.INT64)
    flat = graph.op("Reshape", frames, graph.integers(-1), named="duration")
    column = graph.op("Reshape", flat, graph.integers(1, -1, 1))
    ends = graph.op("CumSum", column, graph.constant(1, np.int64))
    total = graph.op("ReduceSum", flat, keepdims=0)
    places = graph.op("Range", graph.constant(0, np.int64), total, graph.constant(1, np.int64))
    begun = graph.op("GreaterOrEqual", places, graph.op("Sub", ends, column))
    return graph.op("Cast", graph.op("And", begun, graph.op("Less", places, ends)), to=TensorProto.FLOAT)


def _pitch_and_energy(graph: _Graph, frames: str, style: str) -> tuple[str, str]:
    """(1, hidden + 128, T) -> twice (1, 1, 2 T); the pitch in Hz."""
    size = graph.shape.hidden
    shared = graph.transposed(graph.lstm(graph.transposed(frames), size + _STYLE, size))
    curves = [graph.style_block(shared, size, size, style) for _ in range(2)]
    curves = [graph.style_block(x, size, size // 2, style, double=True) for x in curves]
    curves = [graph.style_block(x, size // 2, size // 2, style) for x in curves]
    pitch = graph.convolution(curves[0], size // 2, 1, 1, mean=150.0, gain=20.0)
    return pitch, graph.convolution(curves[1], size // 2, 1, 1)


def _decoded(graph: _Graph, text: str, pitch: str, energy: str, style: str) -> str:
    """(1, hidden, T), twice (1, 1, 2 T) -> (1, decoder, 2 T)."""
    shape = graph.shape
    curves = [graph.convolution(x, 1, 1, 3, stride=2, gain=gain) for x, gain in ((pitch, 0.01), (energy, 1.0))]
    x = graph.style_block(graph.op("Concat", text, *curves, axis=1), shape.hidden + 2, shape.decoder, style)
    residual = graph.convolution(text, shape.hidden, shape.residual, 1)
    for double in (False, False, False, True):
        x = graph.op("Concat", x, residual, *curves, axis=1)
        x = graph.style_block(x, shape.decoder + 2 + shape.residual, shape.decoder, style, double=double)
    return x


def _source(graph: _Graph, pitch: str) -> str:
    """(1, 1, 2 T) in Hz -> (1, 22, 120 T + 1): harmonics and noise, as magnitudes and phases."""
    noise = graph.constant(graph.shape.noise)
    turns = graph.constant(np.arange(1, _HARMONICS + 1).reshape(1, -1, 1) / _RATE)
    cycles = graph.op("Mod", graph.op("Mul", pitch, turns), graph.constant(1.0), fmod=1)
    phase = graph.op("CumSum", cycles, graph.constant(2, np.int64))
    phase = graph.op("Mul", phase, graph.constant(2 * np.pi * _UPSAMPLING))
    phase = graph.op("Resize", phase, "", graph.constant([1, 1, _UPSAMPLING]), mode="linear")
    first = graph.op("RandomUniformLike", graph.constant(np.zeros((1, _HARMONICS, 1))))
    sines = graph.op("Sin", graph.op("Add", phase, graph.op("Mul", first, noise)))
    hiss = graph.op("Mul", graph.op("RandomNormalLike", sines), noise)
    sound = graph.op("Mul", graph.op("Add", sines, graph.op("Mul", hiss, graph.constant(0.03))), graph.constant(0.1))
    sound = graph.op("Tanh", graph.linear(graph.transposed(sound), graph.matrix(_HARMONICS, 1, gain=3)))
    half = _WINDOW // 2
    padded = graph.op("Pad", sound, graph.integers(0, half, 0, 0, half, 0), mode="reflect")
    window = graph.constant(_HOP, np.int64), graph.constant(_HANN), graph.constant(_WINDOW, np.int64)
    spectrum = graph.op("STFT", padded, *window, onesided=1)
    parts = (graph.op("Gather", spectrum, graph.constant(part, np.int64), axis=3) for part in (0, 1))
    real, imaginary = (graph.transposed(part) for part in parts)
    squares = graph.op("Add", graph.op("Mul", real, real), graph.op("Mul", imaginary, imaginary))
    ratio = graph.op("Div", imaginary, graph.op("Add", real, graph.constant(1e-9)))
    return graph.op("Concat", graph.op("Sqrt", squares), graph.op("Atan", ratio), axis=1)


def _generated(graph: _Graph, x: str, spectrum: str, style: str) -> str:
    """(1, decoder, 2 T) and (1, 22, 120 T + 1) of the source -> (1, 22, 120 T + 1)."""
    first, second = graph.shape.generator
    sources = (
        graph.snake_block(graph.convolution(spectrum, 2 * _BINS, first, 12, stride=6, pad=3), first, style, 7),
        graph.snake_block(graph.convolution(spectrum, 2 * _BINS, second, 1), second, style, 11),
    )
    stages = (graph.shape.decoder, first, 20, 10), (first, second, 12, 6)
    for source, (before, size, taps, stride) in zip(sources, stages, strict=True):
        x = graph.upsampled(graph.op("LeakyRelu", x, alpha=0.1), before, size, taps, stride=stride)
        if size == second:
            x = graph.op("Pad", x, graph.integers(0, 0, 1, 0, 0, 0), mode="reflect")
        x = graph.op("Add", x, source)
        both = graph.op("Add", *(graph.snake_block(x, size, style, 3) for _ in range(2)))
        x = graph.op("Div", both, graph.constant(2.0))
    return graph.convolution(graph.op("LeakyRelu", x, alpha=0.01), second, 2 * _BINS, 7, gain=0.3, mean=_LOUDNESS)


def _waveform(graph: _Graph, x: str) -> None:
    """(1, 22, 120 T + 1) -> the output `waveform`, (600 T,): the inverse of the short-time Fourier transform."""
    end = graph.integers(2**63 - 1)
    magnitude = graph.op("Exp", graph.op("Slice", x, graph.integers(0), graph.integers(_BINS), graph.integers(1)))
    phase = graph.op("Sin", graph.op("Slice", x, graph.integers(_BINS), end, graph.integers(1)))
    parts = [graph.op("Mul", magnitude, graph.op(function, phase)) for function in ("Cos", "Sin")]
    angles = 2 * np.pi * np.outer(np.arange(_BINS), np.arange(_WINDOW)) / _WINDOW
    twice = np.where(np.arange(_BINS) % (_BINS - 1) == 0, 1, 2).reshape(-1, 1)
    # the squares of the windows that overlap add up to 1.5
    basis = np.concatenate([twice * np.cos(angles), -twice * np.sin(angles)]) * _HANN / _WINDOW / 1.5
    spectrum = graph.op("Concat", *parts, axis=1)
    whole = graph.op("ConvTranspose", spectrum, graph.constant(basis[:, np.newaxis]), strides=[_HOP])
    half = graph.integers(_WINDOW // 2), graph.integers(-_WINDOW // 2)
    graph.op("Reshape", graph.op("Slice", whole, *half, graph.integers(2)), graph.integers(-1), named="waveform")


def make_directory(folder: Path, shape: Shape = _REAL) -> Path:
    """Write a model directory into a folder, which is made if it is not there, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(make_graph(shape), folder / "nano_like.onnx")
    random = np.random.default_rng(17)
    rows = {name: random.normal(0, 0.3, (_ROWS, 2 * _STYLE)).astype(np.float32) for name in _ALIASES.values()}
    np.savez(folder / "voices.npz", **rows)
    config = {"name": NAME, "type": "ONNX2", "model_file": "nano_like.onnx", "voices": "voices.npz",
              "speed_priors": {}, "voice_aliases": _ALIASES}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    return folder


def model(name: str) -> str:
    """Return what `KittenTTS` takes for a benchmark's `--model`: of "nano-like", a directory in the cache."""
    if name != NAME:
        return name
    folder = cache_directory() / f"{NAME}-{sha1(Path(__file__))[:8]}"
    # a folder appears when it is complete
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with replaced_directory(folder) as aside:
            make_directory(aside)
    return str(folder)
