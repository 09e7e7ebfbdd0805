"""Files of a model -> the open engine; and how to open the same model again, elsewhere."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kittentts.errors import ModelError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from kittentts.models.repository import ModelFiles
    from kittentts.onnx_model import KittenTTS_1_Onnx

logger = logging.getLogger(__name__)


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
    except ModelError as error:
        if file == files.model_path:
            raise
        logger.warning("%s; the original is used, and `kittentts optimize` makes a new graph", error)
        return open_graph(files.model_path)


def load_from_local(model_path: str | os.PathLike[str], backend: str | None = None) -> KittenTTS_1_Onnx:
    """Open a model directory as the bare engine; errors as for `KittenTTS`."""
    from pathlib import Path

    from kittentts.models.repository import read_directory

    return load_engine(read_directory(Path(model_path)), backend)
