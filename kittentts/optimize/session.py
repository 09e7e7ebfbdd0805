"""Sessions for comparing and measuring graphs: single-threaded, so that times are steady. Needs no onnx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kittentts.onnxruntime_import import import_onnxruntime
from kittentts.runtime import native_library
from kittentts.runtime.onnx_graph import file_contains

if TYPE_CHECKING:
    from pathlib import Path


def open_single_threaded(model: bytes | Path, *, optimized: Path | None = None) -> Any:
    """Open a graph with one intra-op thread.

    Args:
        model: the bytes of an ONNX model, or its file.
        optimized: where to write the graph after ONNX Runtime's own optimizations, which then opens faster. Those that
            suit one kind of CPU only are left out.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_mem_pattern = False
    # errors are raised, not printed
    options.log_severity_level = 4
    marked = native_library.MARK in model if isinstance(model, bytes) else file_contains(model, native_library.MARK)
    if marked:
        native_library.register(options)
    if optimized is not None:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(optimized)
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
