"""A generator of tiny models with the interface of the real ones, and the same computation in numpy.

Each token makes 600 samples of a tone whose frequency depends on the token, on the voice's row and on the speed, so
that a wrong order, row, voice or speed shows in the samples.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SAMPLES_PER_TOKEN = 600
POSITIONS = 512
ALIASES = {"Bella": "expr-voice-2-f", "Jasper": "expr-voice-2-m", "Leo": "expr-voice-5-m"}
PRIORS = {"expr-voice-2-m": 0.5}

_TABLE = np.linspace(0.1, 1.0, 178, dtype=np.float32)
_STYLE = np.linspace(-1.0, 1.0, 256, dtype=np.float32).reshape(1, 256)
_RAMP = np.linspace(0.0, 60.0, SAMPLES_PER_TOKEN, dtype=np.float32).reshape(1, SAMPLES_PER_TOKEN)


def make_graph(
    *, tokens: bool = False, table: np.ndarray = _TABLE, loops: int = 0, noise: bool = False
) -> onnx.ModelProto:
    """Build the graph.

    Args:
        tokens: the interface of Kokoro exports (`tokens` -> `audio`) instead of KittenTTS's (`input_ids` -> `waveform`
            and `duration`).
        table: one float for each token id; an id beyond it makes the run fail.
        loops: repetitions of a matrix product that make the run slow without changing its result.
        noise: random nodes, like those of kitten-tts-mini, that add a little to the tone.
    """
    ids, waveform = ("tokens", "audio") if tokens else ("input_ids", "waveform")
    constants = {
        "table": table,
        "positions": np.zeros(POSITIONS, np.float32),
        "style_weights": _STYLE,
        "ramp": _RAMP,
        "column": np.array([-1, 1], np.int64),
        "flat": np.array([-1], np.int64),
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "second": np.array(1, np.int64),
    }
    nodes = [
        helper.make_node("Reshape", [ids, "flat"], ["flat_ids"]),
        helper.make_node("Gather", ["table", "flat_ids"], ["known"]),
        # a text of more than 512 tokens reads beyond the positions and fails
        helper.make_node("Shape", [ids], ["shape"]),
        helper.make_node("Gather", ["shape", "second"], ["n"]),
        helper.make_node("Range", ["zero", "n", "one"], ["places"]),
        helper.make_node("Gather", ["positions", "places"], ["position"]),
        helper.make_node("Add", ["known", "position"], ["embedded"]),
        helper.make_node("Reshape", ["embedded", "column"], ["embedded_column"]),
        helper.make_node("Mul", ["style", "style_weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted"], ["tone"], keepdims=1),
        helper.make_node("Add", ["embedded_column", "tone"], ["pitch"]),
        helper.make_node("Mul", ["pitch", "speed"], ["frequency"]),
        helper.make_node("Mul", ["frequency", "ramp"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["frames"]),
        helper.make_node("Reshape", ["frames", "flat"], ["clean_tones" if noise else "tones"]),
    ]
    if noise:
        constants["little"] = np.array(0.01, np.float32)
        nodes += [
            helper.make_node("RandomNormalLike", ["clean_tones"], ["normal"]),
            helper.make_node("RandomUniformLike", ["clean_tones"], ["uniform"]),
            helper.make_node("Add", ["normal", "uniform"], ["random"]),
            helper.make_node("Mul", ["random", "little"], ["noise"]),
            helper.make_node("Add", ["clean_tones", "noise"], ["tones"]),
        ]
    if loops:
        constants |= {"busy": np.zeros((256, 256), np.float32), "loops": np.array(loops, np.int64)}
        constants |= {"true": np.array(True), "start": np.zeros((256, 256), np.float32)}
        nodes += [
            helper.make_node("Loop", ["loops", "true", "start"], ["worked"], body=_busy_body()),
            helper.make_node("ReduceSum", ["worked"], ["nothing"], keepdims=0),
            helper.make_node("Add", ["tones", "nothing"], [waveform]),
        ]
    else:
        nodes.append(helper.make_node("Identity", ["tones"], [waveform]))
    outputs = [helper.make_tensor_value_info(waveform, TensorProto.FLOAT, ["samples"])]
    if not tokens:
        nodes += [
            helper.make_node("Mul", ["flat_ids", "zero"], ["zeros"]),
            helper.make_node("Add", ["zeros", "one"], ["duration"]),
        ]
        outputs.append(helper.make_tensor_value_info("duration", TensorProto.INT64, ["n_tokens"]))
    inputs = [
        helper.make_tensor_value_info(ids, TensorProto.INT64, [1, "n_tokens"]),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256]),
        helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
    ]
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def _busy_body() -> onnx.GraphProto:
    return helper.make_graph(
        [
            helper.make_node("MatMul", ["before", "busy"], ["after"]),
            helper.make_node("Identity", ["go"], ["go_on"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, [256, 256]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [256, 256]),
        ],
    )


def make_voices(shape: tuple[int, ...] = (400, 256)) -> dict[str, np.ndarray]:
    """Return arrays in which every voice and every row differs; of shape (400, 256), (1, 256) or (510, 1, 256)."""
    rows = np.linspace(0.0, 0.2, shape[0], dtype=np.float32).reshape(-1, *[1] * (len(shape) - 1))
    columns = np.linspace(0.0, 1.0, 256, dtype=np.float32)
    return {raw: (rows + 0.05 * i) * columns + np.zeros(shape, np.float32) for i, raw in enumerate(ALIASES.values(), 1)}


def make_directory(
    path: Path, *, shape: tuple[int, ...] = (400, 256), config: dict | None = None, **graph: object
) -> Path:
    """Write a model directory; `graph` as for `make_graph`."""
    path.mkdir(parents=True, exist_ok=True)
    onnx.save(make_graph(**graph), path / "tiny.onnx")
    np.savez(path / "voices.npz", **make_voices(shape))
    whole = {
        "name": "tiny",
        "type": "ONNX2",
        "model_file": "tiny.onnx",
        "voices": "voices.npz",
        "speed_priors": PRIORS,
        "voice_aliases": ALIASES,
    }
    (path / "config.json").write_text(json.dumps(whole | (config or {})), encoding="utf-8")
    return path


def waveform(token_ids: list[int], style: np.ndarray, speed: float) -> np.ndarray:
    """Compute what the graph computes: float32 of shape `(600 * len(token_ids),)`."""
    pitch = _TABLE[token_ids].reshape(-1, 1) + (style.reshape(1, 256) * _STYLE).sum(dtype=np.float32)
    return np.sin(pitch * np.float32(speed) * _RAMP).reshape(-1)
