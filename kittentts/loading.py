"""Files of a model -> the open engine; and how to open the same model again, elsewhere."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kittentts.errors import BackendError, ModelError, ModelNotFoundError, SettingError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from kittentts.models.repository import ModelFiles
    from kittentts.onnx_model import KittenTTS_1_Onnx

logger = logging.getLogger(__name__)

# what an HTTP header can carry
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class ModelSpec:
    """How to open a model again, in any process: the parameters of `KittenTTS`, checked and made independent of it."""

    name: str
    revision: str | None
    cache_dir: str | None
    backend: str | None
    max_workers: int | None
    lexicon: Mapping[str, str] | None
    optimize: str

    def open(self) -> KittenTTS_1_Onnx:
        """Find the files again, and open them."""
        from kittentts.models.repository import find_model

        files = find_model(self.name, self.cache_dir, revision=self.revision)
        model = load_engine(
            files, self.backend, max_workers=self.max_workers, lexicon=self.lexicon, optimize=self.optimize
        )
        model.keep_open()
        return model


def check_kittenml_options(device: object, hf_token: object, vllm_options: object, mlx_options: object) -> None:
    """Check the parameters of `KittenTTS` that are there for callers of the `kittenml` library.

    Raises:
        BackendError: a device that is not the CPU.
        SettingError: options of engines that this library does not have; a token that no request can carry.
    """
    if device is not None and device != "cpu":
        raise BackendError(
            f"device={device!r} is unknown; leave it out or give 'cpu'. For a GPU, backend='cuda' or 'amd_gpu' chooses "
            "the onnxruntime for it"
        )
    for name, options, engine in (("vllm_options", vllm_options, "vLLM"), ("mlx_options", mlx_options, "MLX")):
        if options is not None:
            raise SettingError(
                f"{name}={options!r} is for KittenTTS 2 models, which the kittenml library runs in {engine}; "
                "this library runs the ONNX models. Leave it out"
            )
    if hf_token is not None and not (isinstance(hf_token, str) and _TOKEN.fullmatch(hf_token)):
        # without its value, which may be a secret
        raise SettingError(
            "hf_token is no token of the Hugging Face Hub (ASCII, no spaces, like 'hf_...'); leave it out"
        )


def load_engine(
    files: ModelFiles,
    backend: str | None,
    *,
    max_workers: int | None = None,
    lexicon: Mapping[str, str] | None = None,
    optimize: str = "auto",
) -> KittenTTS_1_Onnx:
    """Open the engine, on the faster graph where there is one; parameters and errors are those of `KittenTTS`."""
    from functools import partial

    from kittentts.models.probes import probes
    from kittentts.onnx_model import KittenTTS_1_Onnx
    from kittentts.optimize import optimized_file
    from kittentts.runtime.onnx_graph import is_cpu

    def open_graph(file: Path) -> KittenTTS_1_Onnx:
        return KittenTTS_1_Onnx(
            file,
            files.voices_path,
            files.speed_priors,
            files.voice_aliases,
            backend,
            max_workers=max_workers,
            lexicon=lexicon,
        )

    mode = optimize if is_cpu(backend) else "off"
    file = optimized_file(files.model_path, partial(probes, files.voices_path), mode)
    try:
        return open_graph(file)
    except (ModelError, ModelNotFoundError) as error:
        # another process may have replaced it since it was looked at
        if file == files.model_path:
            raise
        logger.warning("%s; the original is used, and `kittentts optimize` makes a new graph", error)
        return open_graph(files.model_path)


def load_from_local(model_path: str | os.PathLike[str], backend: str | None = None) -> KittenTTS_1_Onnx:
    """Open a model directory as the bare engine; errors as for `KittenTTS`."""
    from pathlib import Path

    from kittentts.models.repository import read_directory

    return load_engine(read_directory(Path(model_path)), backend)
