"""Model name -> files on this disk: a local directory, the demo voice, or a repository on the Hugging Face Hub.

A model is a directory with `config.json`, an ONNX file and a voices file; whatever the name is, it leads to one. No
ONNX session is opened here.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import reprlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from kittentts.defaults import pip_install
from kittentts.errors import HubError, ModelError, ModelNotFoundError, SettingError
from kittentts.models.published import DEMO, OWNER, did_you_mean
from kittentts.regular_file import check_regular_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

CONFIG_FILE = "config.json"
_TYPES = ("ONNX1", "ONNX2")
# what the Hub itself admits as owner and name
_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


@dataclass(frozen=True)
class ModelFiles:
    """What the engine needs to open a model."""

    directory: Path
    """Where `config.json` is, and the others are."""
    model_path: Path
    """The ONNX file."""
    voices_path: Path
    """The .npz file, one float32 array per raw voice."""
    speed_priors: Mapping[str, float]
    """Raw voice -> factor on the speed."""
    voice_aliases: Mapping[str, str]
    """Friendly name -> raw voice."""
    name: str
    """What `find_model` finds them by in another process or on another machine."""
    revision: str | None = None
    """With that name: the commit on the Hub."""


def find_model(
    name: str | os.PathLike[str],
    cache_dir: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    refresh: bool = False,
    token: str | None = None,
) -> ModelFiles:
    """Find a model and, if it is on the Hub and not yet in the cache, download its three files.

    Args:
        name: a directory; `"demo"`; `"name"` for `KittenML/name` on the Hub; or `"owner/name"`.
        cache_dir: the Hub's cache; None is the Hub client's own default.
        revision: branch, tag or commit on the Hub; None is its main branch.
        refresh: ask the Hub whether it has a newer version; else the network is used only for what the cache lacks.
        token: for private and gated repositories; None is that of the Hub client (`HF_TOKEN`, `hf auth login`).

    Raises:
        ModelNotFoundError: no such directory, file, repository or revision; as `HubError` when the Hub is out of reach.
        ModelError: the files are malformed, or leave their directory.
        MissingExtraError: the demo voice is not installed.
        SettingError: the revision is none, or the model is not on the Hub.
    """
    if not isinstance(name, str | os.PathLike):
        raise ModelNotFoundError(f"the model {name!r} is neither a str nor a path")
    if revision is not None and not (isinstance(revision, str) and revision):
        raise SettingError(f"revision={revision!r} is no branch, tag or commit; leave it out for the main branch")
    if revision is not None and (name == DEMO or _is_directory(name)):
        raise SettingError(f"revision={revision!r} is for models of the Hub, which {os.fspath(name)!r} is not")
    if _is_directory(name):
        return read_directory(Path(name))
    if name == DEMO:
        from kittentts.models.demo import demo_directory

        return replace(read_directory(demo_directory()), name=DEMO)
    repository = full_name(name) if isinstance(name, str) else name
    if not isinstance(repository, str) or not _REPOSITORY.fullmatch(repository):
        raise ModelNotFoundError(
            f"there is no model directory {os.fspath(name)!r}; give an existing directory, the name of a repository "
            f"on the Hugging Face Hub (name or owner/name), or {DEMO!r}"
        )
    cache = None if cache_dir is None else os.fspath(cache_dir)
    try:
        snapshot = _download(repository, cache, revision, token, refresh=refresh)
        return replace(read_directory(snapshot), name=repository, revision=snapshot.name)
    except ModelError as error:
        raise ModelError(f"{error} (refresh=True asks the Hub for a newer version)") from error


def full_name(name: str) -> str:
    """Return a repository's name with its owner, KittenML if it names none."""
    return name if "/" in name else f"{OWNER}/{name}"


def cached_repositories(cache_dir: str | os.PathLike[str] | None = None) -> dict[str, ModelFiles]:
    """Return the models in the Hub's cache that are complete, by name; the network is not asked."""
    from huggingface_hub import constants, try_to_load_from_cache

    found = {}
    for folder in sorted(Path(cache_dir or constants.HF_HUB_CACHE).glob("models--*--*")):
        name = "/".join(folder.name.split("--")[1:])
        config = try_to_load_from_cache(name, CONFIG_FILE, None if cache_dir is None else os.fspath(cache_dir))
        if isinstance(config, str):
            # one that is incomplete or unreadable, or somebody else's model: they have a config.json, too
            with contextlib.suppress(ModelError, OSError):
                found[name] = read_directory(Path(config).parent)
    return found


def _is_directory(name: str | os.PathLike[str]) -> bool:
    try:
        return name != "" and Path(name).is_dir()
    except OSError:  # a name that is too long for the file system
        return False


def read_directory(directory: Path) -> ModelFiles:
    """Read `config.json` and check that what it names is there.

    Raises:
        ModelNotFoundError: `config.json` or a file that it names does not exist.
        ModelError: `config.json` is malformed, or names a file outside the directory; or one of the three is no regular
            file.
    """
    config = _read_config(directory)
    paths = [directory / config[key] for key in ("model_file", "voices")]
    for path in paths:
        check_regular_file(
            path, f"the model directory {str(directory)!r} lacks the {path.name!r} that its config names"
        )
    model_path, voices_path = paths
    return ModelFiles(
        directory,
        model_path,
        voices_path,
        speed_priors=config.get("speed_priors", {}),
        voice_aliases=config.get("voice_aliases", {}),
        name=str(directory.absolute()),
    )


def copy_directory(files: ModelFiles, target: Path) -> ModelFiles:
    """Copy a model's three files into a folder that exists, and return them there. Links become files."""
    for path in (files.directory / CONFIG_FILE, files.model_path, files.voices_path):
        copy = target / path.relative_to(files.directory)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return read_directory(target)


def _read_config(directory: Path) -> dict[str, Any]:
    path = directory / CONFIG_FILE
    check_regular_file(
        path,
        f"there is no {CONFIG_FILE} in {str(directory)!r}; a model directory has {CONFIG_FILE}, "
        "the ONNX file and the voices file that it names",
    )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds a JSON {type(config).__name__}, not an object")
    if config.get("type") not in _TYPES:
        raise ModelError(
            f"{path}: 'type' is {reprlib.repr(config.get('type'))}; this version opens {' and '.join(_TYPES)}"
        )
    for key in ("model_file", "voices"):
        _check_file_name(path, key, config)
    _check_mapping(path, "speed_priors", config, _is_factor)
    _check_mapping(path, "voice_aliases", config, lambda raw: isinstance(raw, str))
    return config


def _check_file_name(path: Path, key: str, config: Mapping[str, Any]) -> None:
    """Refuse a name that leaves the directory on any platform. (Links are fine: the Hub's cache is made of them)."""
    name = config.get(key)
    if not isinstance(name, str) or not name:
        raise ModelError(f"{path} lacks {key!r}: the name of a file in the same directory is needed")
    parts = {*PurePosixPath(name).parts, *PureWindowsPath(name).parts}
    windows = PureWindowsPath(name)
    if ".." in parts or PurePosixPath(name).is_absolute() or windows.drive or windows.root:
        raise ModelError(f"{path}: {key!r} is {name!r}, which leaves the model directory; this is refused")


def _check_mapping(path: Path, key: str, config: Mapping[str, Any], is_valid: Callable[[Any], bool]) -> None:
    mapping = config.get(key, {})
    if not isinstance(mapping, dict) or not all(map(is_valid, mapping.values())):
        raise ModelError(
            f"{path}: {key!r} must be an object of voices (voice_aliases) or of factors from 0.01 to 100 "
            f"(speed_priors); it is {reprlib.repr(mapping)}"
        )


def _is_factor(value: Any) -> bool:
    return type(value) in (int, float) and 0.01 <= value <= 100  # noqa: PLR2004 (said in the message)


def _download(
    repository: str, cache_dir: str | None, revision: str | None, token: str | None, *, refresh: bool
) -> Path:
    """Return the snapshot in the Hub's cache, downloading what it lacks.

    The model and voices files are taken from the commit of the config, so that a change of the repository
    between two calls cannot mix two versions.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(repository, CONFIG_FILE, cache_dir, revision)
    except HFValidationError as error:
        raise ModelNotFoundError(f"{repository!r} is no directory and cannot be a repository on the Hub") from error
    if isinstance(cached, str) and not refresh:
        config_path = Path(cached)
    else:
        config_path = _fetch(repository, CONFIG_FILE, cache_dir, revision, token, refresh=refresh)
    snapshot = config_path.parent
    config = _read_config(snapshot)
    for key in ("model_file", "voices"):
        # not Path.is_file, which raises for a name that is too long
        if not os.path.isfile(snapshot / config[key]):  # noqa: PTH113
            _fetch(repository, config[key], cache_dir, snapshot.name, token, refresh=False)
    return snapshot


def _fetch(
    repository: str, file: str, cache_dir: str | None, revision: str | None, token: str | None, *, refresh: bool
) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import (
        EntryNotFoundError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    source = f"{repository} at revision {revision!r}" if revision else repository
    # The client's own errors are chains of 70 lines, of which ours say what matters: none is raised "from" them.
    try:
        # When the Hub does not answer, hf_hub_download tries for half a minute, or falls back to the cache in silence;
        # this call says so at once.
        get_hf_file_metadata(hf_hub_url(repository, file, revision=revision), token=token)
        logger.info("asking the Hugging Face Hub for %s of %s", file, source)
        return Path(hf_hub_download(repository, file, revision=revision, cache_dir=cache_dir, token=token))
    except RepositoryNotFoundError:
        raise ModelNotFoundError(
            f"the Hugging Face Hub has no repository {repository!r} that is open to you, and there is no directory of "
            f"that name; {did_you_mean(repository) or 'check the spelling'} (private and gated ones need hf_token= or "
            "HF_TOKEN)"
        ) from None
    except RevisionNotFoundError:
        raise ModelNotFoundError(f"the repository {repository!r} has no revision {revision!r}") from None
    except LocalEntryNotFoundError as error:
        raise _unreachable(repository, source, file, error, refresh=refresh) from None
    except EntryNotFoundError:
        raise ModelNotFoundError(f"the repository {source} has no file {file!r}; it is no kittentts model") from None
    except Exception as error:  # noqa: BLE001 (raised as our own)
        # The client's HTTP library changed from requests to httpx to httpx2; their errors share no base.
        raise _unreachable(repository, source, file, error, refresh=refresh) from None


def _unreachable(repository: str, source: str, file: str, error: Exception, *, refresh: bool) -> HubError:
    reason = error.__cause__ or error
    ways = (
        "; without refresh the cached version is used"
        if refresh
        else " and is not in the cache; "
        + (
            did_you_mean(repository)
            or f"the demo voice ({DEMO!r}, after {pip_install('demo')}) and a copied model directory need no network"
        )
    )
    return HubError(
        f"{file} of {source} could not be downloaded from the Hugging Face Hub "
        f"({type(reason).__name__}: {str(reason).strip() or 'no details'}){ways}"
    )
