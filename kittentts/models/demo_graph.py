"""Gives Kokoro's graph the interface of KittenTTS's: an input `input_ids`, and an output `duration`.

The ONNX file is a protobuf message. Its fields are edited here as bytes, because the onnx package takes 31 MB.
Weights and nodes are copied as they are, so the waveform stays the same to the last bit.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kittentts.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

_TOKENS = b"tokens"
_INPUT_IDS = b"input_ids"
# the frames of each token, rounded and at least 1, float32 of shape (1, tokens); each frame is 600 samples
_FRAMES = b"/encoder/Clip_output_0"

# numbers of fields, and of types, in https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_NODE_OUTPUT = 2
# of a node the names of its inputs, of an input its name
_NAME = 1
_INT64 = 7
_ATTRIBUTE_INT = 2
# how a protobuf field is stored: https://protobuf.dev/programming-guides/encoding/
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}


def write_family_graph(source: Path, target: Path) -> None:
    """Write a copy of Kokoro's graph with KittenTTS's interface.

    The input `tokens` becomes `input_ids`. An output is added: `duration`, int64 of shape `(tokens,)`, the frames of
    600 samples for which each token sounds.

    Raises:
        ModelError: the source is cut off.
        OSError: a file cannot be read or written.
    """
    edited: list[bytes | memoryview] = []
    try:
        for number, content, field in _fields(memoryview(source.read_bytes())):
            if number == _MODEL_GRAPH:
                graph = list(_edited_graph(content, source))
                edited += [_head(_MODEL_GRAPH, sum(map(len, graph))), *graph]
            else:
                edited.append(field)
    except IndexError as error:
        raise ModelError(f"{source} is cut off; remove it, and it is made anew") from error
    with target.open("wb") as file:
        file.writelines(edited)


def _edited_graph(graph: memoryview, source: Path) -> Iterator[bytes | memoryview]:
    """Yield the fields of the new graph."""
    has_frames = False
    for number, content, field in _fields(graph):
        if number in {_GRAPH_NODE, _GRAPH_INPUT} and _TOKENS in bytes(content):
            yield _message((number, _renamed(content)))
        else:
            has_frames |= number == _GRAPH_NODE and _makes_frames(content)
            yield field
    if has_frames:
        yield _duration_nodes()
    else:
        logger.warning("%s has no tensor %s; the demo voice tells no times of words", source, _FRAMES.decode())


def _renamed(content: memoryview) -> bytes:
    return b"".join(
        _message((number, _INPUT_IDS)) if number == _NAME and bytes(name) == _TOKENS else field
        for number, name, field in _fields(content)
    )


def _makes_frames(node: memoryview) -> bool:
    return any(number == _NODE_OUTPUT and bytes(name) == _FRAMES for number, name, _ in _fields(node))


def _duration_nodes() -> bytes:
    """Return fields of a graph: frames -> int64 -> without the first axis -> output."""
    to_int64 = _message((1, b"to"), (3, _INT64), (20, _ATTRIBUTE_INT))
    dimension = _message((2, b"sequence_length"))
    tensor_type = _message((1, _INT64), (2, _message((1, dimension))))
    return _message(
        (_GRAPH_NODE, _message((1, _FRAMES), (2, b"duration_row"), (4, b"Cast"), (5, to_int64))),
        (_GRAPH_NODE, _message((1, b"duration_row"), (1, b"duration_shape"), (2, b"duration"), (4, b"Reshape"))),
        # [-1], in little-endian bytes
        (_GRAPH_INITIALIZER, _message((1, 1), (2, _INT64), (8, b"duration_shape"), (9, b"\xff" * 8))),
        (_GRAPH_OUTPUT, _message((1, b"duration"), (2, _message((1, tensor_type))))),
    )


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Yield of each field its number, its content, and all its bytes; raise `IndexError` where they are cut off."""
    start = 0
    while start < len(message):
        key, begin = _read_varint(message, start)
        kind = key & 7
        if kind == _LENGTH:
            size, begin = _read_varint(message, begin)
            end = begin + size
        elif kind == _VARINT:
            end = _read_varint(message, begin)[1]
        else:
            end = begin + _SIZES.get(kind, len(message))
        if end > len(message):
            raise IndexError
        yield key >> 3, message[begin:end], message[start:end]
        start = end


def _read_varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, and where it ends."""
    number = shift = 0
    while True:
        byte = message[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 (the eighth bit says that more follow)
            return number, position
        shift += 7


def _message(*fields: tuple[int, int | bytes]) -> bytes:
    """Return a message of these fields: numbers below 128, or bytes."""
    return b"".join(
        _varint(number << 3 | _VARINT) + _varint(value) if isinstance(value, int) else _head(number, len(value)) + value
        for number, value in fields
    )


def _head(number: int, size: int) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(size)


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
