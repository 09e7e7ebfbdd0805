"""A model by its name: found, opened, copied into other processes, closed."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from kittentts import defaults
from kittentts.errors import StoppedError
from kittentts.loading import ModelSpec, check_kittenml_options, load_engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    from kittentts.onnx_model import KittenTTS_1_Onnx

# by process: held while a copy opens its model
_opening: dict[int, threading.RLock] = {}


class NamedModel:
    """Holds the engine of a model; parameters, errors and what travels are as documented for `KittenTTS`."""

    def __init__(
        self,
        model_name: str | os.PathLike[str] = defaults.MODEL,
        cache_dir: str | os.PathLike[str] | None = None,
        backend: str | None = None,
        device: str | None = None,
        hf_token: str | None = None,
        *,
        max_workers: int | None = None,
        revision: str | None = None,
        refresh: bool = False,
        lexicon: Mapping[str, str] | None = None,
        optimize: str = "auto",
        vllm_options: None = None,
        mlx_options: None = None,
    ) -> None:
        from kittentts.models.repository import find_model
        from kittentts.synthesis.request import check_model_options

        check_kittenml_options(device, hf_token, vllm_options, mlx_options)
        check_model_options(backend, max_workers, lexicon, optimize)
        files = find_model(model_name, cache_dir, revision=revision, refresh=refresh, token=hf_token)
        self._spec = ModelSpec(
            name=files.name,
            revision=files.revision,
            cache_dir=None if cache_dir is None else os.path.abspath(cache_dir),  # noqa: PTH100 (a str, to travel)
            backend=backend,
            max_workers=max_workers,
            lexicon=None if lexicon is None else dict(lexicon),
            optimize=optimize,
        )
        self._model: KittenTTS_1_Onnx | None = load_engine(
            files, backend, max_workers=max_workers, lexicon=lexicon, optimize=optimize
        )
        self._is_closed = False
        self._own_voices: dict[str, NDArray[np.float32]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what `pickle` and `copy` carry: how the model was opened and the voices added, not the model."""
        return {**self.__dict__, "_model": None, "_is_closed": False, "_own_voices": dict(self._own_voices)}

    def add_voice(self, name: str, style: Any) -> None:
        """Add a voice of one's own, which copies of the model have, too; one that was added before is replaced.

        Example::

            voices = np.load("my_voices.npz")
            model.add_voice("Ann", voices["ann"])
            model.generate("Hello.", voice="Ann:0.8+Luna:0.2")

        Args:
            name: none of the model's own, in any case of letters, and without `+ : ( )`.
            style: floats of shape `(rows, 256)` or `(rows, 1, 256)`, as in a voices file: a row for each length of
                text, the last for longer ones. A copy is kept.

        Raises:
            VoiceError: the name is another voice's, or none.
            SettingError: the array is of another shape or type, or has NaN or infinity in it.
        """
        self._own_voices[name] = self.model.add_voice(name, style)

    @property
    def model(self) -> KittenTTS_1_Onnx:
        """The engine. A copy opens its own on first use, in the sessions that this process has already."""
        if self._model is None:
            # One at a time, so that what the first downloads is there for the others. Each process has its own lock,
            # for a forked child may inherit a locked one.
            with _opening.setdefault(os.getpid(), threading.RLock()):
                if self._is_closed:
                    raise StoppedError("the model was closed before it was opened")
                if self._model is None:
                    model = self._spec.open()
                    for name, style in self._own_voices.items():
                        model.add_voice(name, style)
                    self._model = model
            if self._is_closed:
                self._model.close()
        return self._model

    def close(self) -> None:
        """Stop what runs, in any thread, and let go of the graph, as `with` does; then calls raise `StoppedError`."""
        self._is_closed = True
        if self._model is not None:
            self._model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
