"""Sessions for comparing and measuring graphs: one thread, no noise. Needs no onnx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def open_session(model: bytes | Path, *, optimized: Path | None = None) -> Any:
    """Open a graph with one intra-op thread.

    Args:
        model: the bytes of an ONNX model, or its file.
        optimized: where to write the graph as ONNX Runtime's own optimizations leave it, which is opened faster. Those
            that suit one CPU only are left out then.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_mem_pattern = False
    # errors are raised, not printed
    options.log_severity_level = 4
    if optimized is not None:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(optimized)
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
