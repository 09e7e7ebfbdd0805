"""`kittentts doctor`: what kittentts finds on this machine, what is wrong with it, and how to mend it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kittentts import KittenTTSError, __version__, defaults
from kittentts.cli.options import add_command, describe
from kittentts.onnxruntime_import import import_onnxruntime

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from kittentts.cli.options import Commands

_EXAMPLES = """\
kittentts doctor
KITTENTTS_MODEL=./my-model kittentts doctor"""

_VARIABLES = (
    *("KITTENTTS_MODEL", "KITTENTTS_CACHE", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_ENDPOINT"),
    *("PHONEMIZER_ESPEAK_LIBRARY", "PHONEMIZER_ESPEAK_DATA_PATH", "ESPEAK_DATA_PATH", "OMP_NUM_THREADS"),
)
# what one run of 400 characters with the demo voice takes, the library and the graph included
_MEMORY = 1e9
# the largest model
_DISK = 200e6
_EXTRAS = {
    "soxr": ("audio", "resampling (--sample-rate)"),
    "sounddevice": ("play", "playing through the sound card"),
    "onnx": ("fast", "faster graphs"),
}


class Finding(NamedTuple):
    """One thing that was looked at."""

    subject: str
    found: str
    mend: str = ""
    """How to mend it, or what to do about it."""
    is_wrong: bool = False


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "look whether this machine has what kittentts needs"
    details = "\nThe exit status is 1 if something is wrong. Nothing is downloaded and the network is not asked.\n"
    add_command(commands, "doctor", _run, summary, _EXAMPLES, details=details)


def _run(_: argparse.Namespace) -> int:
    wrong = 0
    for check in (
        _python,
        _packages,
        _onnxruntime,
        _espeak,
        _soundfile,
        _machine,
        _caches,
        _models,
        _extras,
        _native,
        _variables,
    ):
        for finding in _findings(check):
            wrong += finding.is_wrong
            mark = "WRONG" if finding.is_wrong else "note" if finding.mend else "ok"
            print(f"{mark:6}{finding.subject:15}{finding.found}")
            if finding.mend:
                print(f"{'':21}-> {finding.mend}")
    print(f"\n{wrong} of these must be mended." if wrong else "\nNothing is wrong.")
    return 1 if wrong else 0


def _findings(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except KittenTTSError as error:
        yield Finding(check.__name__.strip("_"), describe(error), "as it says", is_wrong=True)
    except Exception as error:  # noqa: BLE001 (whatever is broken, the other checks go on)
        name = check.__name__.strip("_")
        mend = "install kittentts again, from its checkout or wheel file"
        yield Finding(name, f"{type(error).__name__}: {describe(error)}", mend, is_wrong=True)


def _python() -> Iterator[Finding]:
    yield Finding("kittentts", f"{__version__} in {Path(__file__).parent.parent}")
    yield Finding("Python", f"{platform.python_version()} on {platform.platform()} ({sys.executable})")


def _packages() -> Iterator[Finding]:
    needed = [line for line in metadata.requires("kittentts") or [] if "extra ==" not in line]
    names = [re.match(r"[\w.-]+", line)[0] for line in needed]  # type: ignore[index]
    missing = [name for name in names if not _version(name)]
    if missing:
        yield Finding("packages", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}", is_wrong=True)


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _onnxruntime() -> Iterator[Finding]:
    try:
        onnxruntime = import_onnxruntime()
    except ImportError as error:
        mend = "pip install --force-reinstall onnxruntime"
        yield Finding("ONNX Runtime", f"cannot be imported: {error}", mend, is_wrong=True)
        return
    providers = ", ".join(name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers())
    yield Finding("ONNX Runtime", f"{onnxruntime.__version__} for {providers}")
    builds = sorted(
        {
            distribution.metadata["Name"]
            for distribution in metadata.distributions()
            if (distribution.metadata["Name"] or "").lower().startswith("onnxruntime")
        }
    )
    if len(builds) > 1:
        mend = f"pip uninstall {' '.join(builds)}, and install the one that you want"
        yield Finding(
            "ONNX Runtime", f"{' and '.join(builds)} share one folder and break each other", mend, is_wrong=True
        )


def _espeak() -> Iterator[Finding]:
    from kittentts.phonemes.espeak import Phonemizer, espeak_files

    phonemes = Phonemizer().phonemize(["hello"])[0]
    library, data = espeak_files()
    yield Finding("espeak-ng", f"says {phonemes!r} for 'hello'; {library}, data in {data or 'its own place'}")


def _soundfile() -> Iterator[Finding]:
    import soundfile

    from kittentts.audio.formats import FORMATS

    version = soundfile.__libsndfile_version__
    lacking = [one.name for one in FORMATS.values() if not soundfile.check_format(one.container, one.subtype)]
    if lacking:
        mend = "pip install --force-reinstall soundfile brings a libsndfile that can"
        yield Finding("libsndfile", f"{version} cannot write {', '.join(lacking)}", mend)
    else:
        yield Finding("libsndfile", f"{version} writes {', '.join(FORMATS)}")


def _machine() -> Iterator[Finding]:
    from kittentts.runtime.resources import available_memory, usable_cores

    model, flags = _processor()
    cores = usable_cores()
    features = [flag for flag in ("avx2", "avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm") if flag in flags]
    yield Finding(
        "CPU", f"{model}; {cores} cores of {os.cpu_count()} usable; {', '.join(features) or 'no int8 features'}"
    )
    memory = available_memory()
    if memory is None:
        yield Finding("memory", "unknown on this platform")
    elif memory < _MEMORY:
        mend = "long sentences may fail; a smaller model, --max-workers 1, or more memory"
        yield Finding("memory", f"{memory / 1e9:.1f} GB can be used", mend)
    else:
        yield Finding("memory", f"{memory / 1e9:.1f} GB can be used")


def _processor() -> tuple[str, set[str]]:
    """Return the CPU's name and its features, where the system tells."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine(), set()
    name = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", text, re.MULTILINE)
    return name[1] if name else platform.machine(), set(flags[1].split()) if flags else set()


def _caches() -> Iterator[Finding]:
    from huggingface_hub import constants

    from kittentts.models.cache import cache_directory

    yield _cache("Hub's cache", Path(constants.HF_HUB_CACHE), "HF_HOME")
    yield _cache("own cache", cache_directory(), "KITTENTTS_CACHE")


def _cache(subject: str, path: Path, variable: str) -> Finding:
    existing = next((one for one in (path, *path.parents) if one.exists()), path)
    mend = f"set {variable} to a folder that can be written"
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return Finding(subject, f"{path} cannot be written", mend, is_wrong=True)
    free = shutil.disk_usage(existing).free
    return Finding(subject, f"{path}, {free / 1e9:.1f} GB free", f"make room, or {mend}" if free < _DISK else "")


def _models() -> Iterator[Finding]:
    from kittentts.models import demo
    from kittentts.models.published import DEMO
    from kittentts.models.repository import cached_repositories, full_name, read_directory

    model = os.environ.get("KITTENTTS_MODEL") or defaults.MODEL
    repository = full_name(model)
    if Path(model).is_dir():
        try:
            read_directory(Path(model))
        except KittenTTSError as error:
            yield Finding("default model", describe(error), "correct KITTENTTS_MODEL", is_wrong=True)
        else:
            yield Finding("default model", f"the directory {model}")
    elif model == DEMO:
        yield Finding("default model", "the demo voice")
    elif repository in cached_repositories():
        yield Finding("default model", f"{repository} is in the cache")
    else:
        yield Finding("default model", f"{repository} is not in the cache", f"kittentts download {model}")
    if demo.is_installed():
        yield Finding("demo voice", "installed: -m demo")
    else:
        wanted = model == DEMO
        yield Finding("demo voice", "not installed", defaults.pip_install("demo"), is_wrong=wanted)


def _extras() -> Iterator[Finding]:
    for distribution, (extra, purpose) in _EXTRAS.items():
        version = _version(distribution)
        if version is None:
            yield Finding(purpose.partition(" ")[0], f"no {distribution} for {purpose}", defaults.pip_install(extra))
        elif distribution == "sounddevice":
            yield _sound_device()
        else:
            yield Finding(purpose.partition(" ")[0], f"{distribution} {version} for {purpose}")


def _native() -> Iterator[Finding]:
    from kittentts.runtime.native_library import NOT_INSTALLED, search

    found = search()
    if isinstance(found, str):
        # it is on no index
        mend = "pip install ./native in a checkout of kittentts, for faster graphs yet"
        wrong = "" if found == NOT_INSTALLED else "cannot be used: "
        yield Finding("native", f"kittentts-native {wrong}{found.removeprefix('it ')}", mend)
    else:
        yield Finding("native", f"kittentts-native {found.version} with its kernels for {found.kernel}")


def _sound_device() -> Finding:
    try:
        import sounddevice
    except OSError as error:
        return Finding("playing", str(error), "on Debian and Ubuntu: apt install libportaudio2")
    try:
        device = sounddevice.query_devices(kind="output")
    except (sounddevice.PortAudioError, ValueError) as error:
        return Finding("playing", f"no sound device ({error})", "say -o FILE needs none")
    return Finding("playing", f"on {device['name']!r}")


def _variables() -> Iterator[Finding]:
    for name in _VARIABLES:
        if name in os.environ:
            yield Finding("environment", f"{name}={os.environ[name]}")
    if "HF_TOKEN" in os.environ:
        yield Finding("environment", "HF_TOKEN is set")
