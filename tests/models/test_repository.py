"""A model's name -> its files, without a network."""

import json
import pathlib
import pickle

import numpy as np
import pytest
import tiny_model

from kittentts import KittenTTS, KittenTTSError, get_model
from kittentts.errors import BackendError, MissingExtraError, ModelError, ModelNotFoundError
from kittentts.get_model import download_from_huggingface, load_from_local


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
        *(({"speed_priors": {"a": factor}}, "factors") for factor in (0, -1, float("nan"), float("inf"), True, 1e9)),
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


def test_a_voices_file_without_voices(directory):
    np.savez(directory / "voices.npz")
    with pytest.raises(ModelError, match="holds no voice"):
        KittenTTS(directory)
    np.save(directory / "voices.npy", np.zeros((4, 256), "f4"))
    (directory / "voices.npy").replace(directory / "voices.npz")
    with pytest.raises(ModelError, match="single array"):
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
    with pytest.raises(MissingExtraError, match=r'pip install "kittentts\[demo\]"'):
        KittenTTS("demo")


def test_errors_of_a_model_are_catchable_as_one(tmp_path):
    with pytest.raises(KittenTTSError):
        KittenTTS(tmp_path)
