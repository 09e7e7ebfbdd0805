"""With kittentts-native graphs are faster; without it, or with one that cannot be used, all goes on as before."""

import dataclasses
import json
import logging
import pickle
import shutil
import threading

import nano_graph
import numpy as np
import onnx
import pytest
import quantized_model
from onnx import helper

from kittentts import KittenTTS
from kittentts.errors import ModelError
from kittentts.models.probes import probes
from kittentts.optimize import build, optimize, record
from kittentts.optimize.record import MODEL_FILE, STANDARD_MODEL_FILE, STANDARD_RECORD_FILE, cache_key
from kittentts.runtime import native_library, onnx_graph
from kittentts.runtime.native_library import NativeLibrary

needs_native = pytest.mark.skipif(native_library.native_library() is None, reason="kittentts-native is not installed")
TEXT = "Here is a sentence. And here is another one, a little longer than the first."


@pytest.fixture(scope="module")
def quantized(tmp_path_factory):
    return quantized_model.voice_directory(tmp_path_factory.mktemp("quantized"))


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    return nano_graph.make_directory(tmp_path_factory.mktemp("nano"), nano_graph.SMALL)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "_LEAST_GAIN", 0.0001)
    monkeypatch.setenv("KITTENTTS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "optimized"


def opened(model):
    return model.model.model_path


def variant_of(model):
    return record.read_record(opened(model).parent).variant


def warnings(caplog):
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


def uses_the_library(path):
    return any(node.domain == native_library.DOMAIN for node in onnx.load(path).graph.node)


@needs_native
@pytest.mark.parametrize("mode", ["auto", "exact"])
def test_it_is_tried_first_and_gives_the_same_bits(quantized, nano, mode):
    for voice in (quantized, nano):
        model = KittenTTS(voice, optimize=mode)
        assert (opened(model).name, variant_of(model)) == (MODEL_FILE, "native")
        assert uses_the_library(opened(model))
        original = KittenTTS(voice, optimize="off")
        for speed in (0.7, 1.0, 1.6):
            wanted = original.generate(TEXT, voice="Leo", speed=speed)
            assert model.generate(TEXT, voice="Leo", speed=speed).tobytes() == wanted.tobytes()


@needs_native
def test_random_nodes_a_seed_and_workers(tmp_path):
    shape = nano_graph.Shape(**vars(nano_graph.SMALL) | {"noise": 1.0})
    noisy = nano_graph.make_directory(tmp_path / "noisy", shape)
    model, other = KittenTTS(noisy, max_workers=2), KittenTTS(noisy, max_workers=1)
    assert variant_of(model) == "native"
    assert model.generate(TEXT, seed=3).tobytes() == other.generate(TEXT, seed=3).tobytes()
    assert model.generate(TEXT, seed=3).tobytes() != model.generate(TEXT, seed=4).tobytes()


@needs_native
def test_models_travel_close_and_share(quantized):
    model = KittenTTS(quantized)
    wanted = model.generate(TEXT).tobytes()
    copy = pickle.loads(pickle.dumps(model))
    assert opened(copy) == opened(model)
    found = []
    threads = [threading.Thread(target=lambda: found.append(copy.generate(TEXT).tobytes())) for _ in range(3)]
    for thread in threads:
        thread.start()
    model.close()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 3


FORK = """
import os, sys
from kittentts import KittenTTS
model = KittenTTS(sys.argv[1])
wanted = model.generate("Hello.").tobytes()
child = os.fork()
if child == 0:
    os._exit(0 if model.generate("Hello.").tobytes() == wanted else 1)
sys.exit(os.waitpid(child, 0)[1])
"""


@needs_native
@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system does not fork")
def test_a_forked_child_opens_it_anew(quantized, run_python):
    KittenTTS(quantized)
    run_python(FORK, quantized)


@pytest.mark.usefixtures("no_native_library")
def test_without_it_float_graphs_cost_nothing(nano, cache):
    assert opened(KittenTTS(nano, optimize="exact")) == nano / "nano_like.onnx"
    assert not cache.exists()


@needs_native
def test_a_graph_that_neither_rule_is_about_is_left_alone(tiny_directory, cache):
    assert opened(KittenTTS(tiny_directory, optimize="exact")) == tiny_directory / "tiny.onnx"
    assert not cache.exists()


@pytest.fixture
def searching(monkeypatch):
    """The search for the library begins anew, and ends with the test."""
    native_library.search.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    native_library.search.cache_clear()


@needs_native
@pytest.mark.parametrize(
    ("version", "reason"), [("0.1.0", "it is 0.1.0"), ("0.3.0", "it is 0.3.0"), ("1.2.0", "it is 1.2.0")]
)
def test_another_version_is_not_used(quantized, caplog, searching, version, reason):
    searching.setattr("kittentts_native.version", lambda: version)
    model = KittenTTS(quantized)
    KittenTTS(quantized)
    assert variant_of(model) in {"signed", "unsigned", "float"}
    (warning,) = warnings(caplog)
    assert warning == f"kittentts-native is not used: {reason}, and this kittentts writes graphs for 0.2"


@needs_native
def test_one_that_cannot_be_loaded_is_not_used(quantized, caplog, searching, tmp_path):
    (tmp_path / "operators.so").write_bytes(b"no library")
    searching.setattr("kittentts_native.library_path", lambda: tmp_path / "operators.so")
    model = KittenTTS(quantized)
    assert variant_of(model) in {"signed", "unsigned", "float"}
    (warning,) = warnings(caplog)
    assert "it cannot be loaded (OSError: " in warning


@needs_native
def test_one_that_onnx_runtime_refuses_is_not_used(quantized, caplog, searching, tmp_path):
    made = opened(KittenTTS(quantized))
    native = shutil.copy(made, tmp_path / "native.onnx")
    broken = native_library.native_library()._replace(path=str(tmp_path / "nowhere.so"))
    searching.setattr(native_library, "search", lambda: broken)
    # the graph is there, but its self-test is not passed any more
    searching.setattr(record, "is_native_exact", record.is_native_exact.__wrapped__)
    searching.setattr(build, "is_native_exact", record.is_native_exact)
    model = KittenTTS(quantized)
    assert variant_of(model) in {"signed", "unsigned", "float"}
    assert any("the native variant is thrown away: ONNX Runtime refuses it" in one for one in warnings(caplog))
    with pytest.raises(ModelError, match="cannot be opened as an ONNX graph"):
        onnx_graph.open_session(native)


@needs_native
def test_the_place_in_the_cache_depends_on_the_library(quantized, monkeypatch):
    file = quantized / "tiny.onnx"
    keys = [cache_key(file)]
    for library in (
        NativeLibrary("", "0.2.7", "avx2"),
        NativeLibrary("", "0.2.8", "avx2"),
        NativeLibrary("", "0.2.8", "portable"),
        native_library.NOT_INSTALLED,
    ):
        monkeypatch.setattr(native_library, "search", lambda found=library: found)
        keys.append(cache_key(file))
    assert len(set(keys)) == 5


@needs_native
def test_a_failed_self_test_means_another_variant(quantized, monkeypatch, caplog):
    assert variant_of(KittenTTS(quantized)) == "native"
    monkeypatch.setattr(record, "is_native_exact", lambda: False)
    monkeypatch.setattr(build, "is_native_exact", lambda: False)
    model = KittenTTS(quantized)
    assert variant_of(model) in {"signed", "unsigned", "float"}
    said = warnings(caplog)
    assert "fails its self-test here" in said[0]
    assert "the native variant is thrown away: this CPU fails the self-test" in said[-1]


@needs_native
def test_a_variant_that_differs_or_fails_is_thrown_away(quantized, tmp_path, monkeypatch):
    """A rule whose mistake shows only when the graph runs."""

    def variants():
        inputs = probes(quantized / "voices.npz", "input_ids")
        return next(build.variants(quantized / "tiny.onnx", tmp_path, lambda _: inputs))

    assert variants().difference is None

    def wrong(change):
        def rewrite(graph, node):
            rule.rewrite(graph, node)
            change([one for one in graph._nodes if one.op_type == "DynamicQuantizedConv"][-1])

        return lambda: dataclasses.replace(rule, rewrite=rewrite)

    def other_padding(node):
        attribute = next(one for one in node.attribute if one.name == "pads")
        attribute.ints[:] = [attribute.ints[0] + 1, attribute.ints[1] - 1]

    def no_stride(node):
        next(one for one in node.attribute if one.name == "stride").i = 0

    rule = build.quantized_convolution_rule()
    for change, reason in (
        (other_padding, "the output 'waveform' of probe 1 differs"),
        (no_stride, "ONNX Runtime refuses"),
    ):
        monkeypatch.setattr(build, "quantized_convolution_rule", wrong(change))
        assert variants().difference.startswith(reason)


WITHOUT_LIBRARY = """
import logging, sys
sys.modules["kittentts_native"] = None
logging.basicConfig(level=logging.INFO, format="%(message)s")
from kittentts import KittenTTS
model = KittenTTS(sys.argv[1])
print(model.model.model_path.name, model.generate(sys.argv[2]).tobytes().hex()[:2000])
"""


def made_for_others(voice, folder):
    """A directory as `optimize -o` writes it."""
    shutil.copytree(voice, folder)
    file = next(folder.glob("*.onnx"))
    return optimize(file, lambda name: probes(folder / "voices.npz", name), folder)


@needs_native
def test_a_directory_for_others_opens_without_the_library(quantized, tmp_path, monkeypatch, run_python):
    fastest_first(monkeypatch)
    found = made_for_others(quantized, tmp_path / "made")
    assert (found.variant, found.native) == ("native", native_library.native_library().version)
    assert {MODEL_FILE, STANDARD_MODEL_FILE, STANDARD_RECORD_FILE} <= {
        one.name for one in (tmp_path / "made").iterdir()
    }
    assert not uses_the_library(tmp_path / "made" / STANDARD_MODEL_FILE)
    assert opened(KittenTTS(tmp_path / "made")).name == MODEL_FILE
    wanted = KittenTTS(quantized, optimize="off").generate(TEXT).tobytes().hex()[:2000]
    result = run_python(WITHOUT_LIBRARY, tmp_path / "made", TEXT)
    assert result.stdout.split() == [STANDARD_MODEL_FILE, wanted]
    assert result.stderr.count("needs kittentts-native") == 1


@needs_native
def test_a_float_directory_for_others_opens_its_original_without_the_library(nano, tmp_path, monkeypatch, run_python):
    fastest_first(monkeypatch)
    assert made_for_others(nano, tmp_path / "made").variant == "native"
    assert json.loads((tmp_path / "made" / STANDARD_RECORD_FILE).read_text())["variant"] == "original"
    assert not (tmp_path / "made" / STANDARD_MODEL_FILE).exists()
    assert opened(KittenTTS(tmp_path / "made")).name == MODEL_FILE
    assert run_python(WITHOUT_LIBRARY, tmp_path / "made", TEXT).stdout.split()[0] == "nano_like.onnx"


@needs_native
def test_a_directory_made_with_another_version_opens_the_standard_graph(quantized, tmp_path, monkeypatch, caplog):
    fastest_first(monkeypatch)
    made_for_others(quantized, tmp_path / "made")
    caplog.set_level(logging.INFO)
    file = tmp_path / "made" / record.RECORD_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | {"native": "0.2.99"}))
    assert opened(KittenTTS(tmp_path / "made")).name == STANDARD_MODEL_FILE
    assert "needs kittentts-native 0.2.99, and 0.2" in caplog.text


@needs_native
def test_a_directory_made_with_another_onnx_runtime_opens_the_standard_graph(quantized, tmp_path, monkeypatch, caplog):
    fastest_first(monkeypatch)
    made_for_others(quantized, tmp_path / "made")
    caplog.set_level(logging.INFO)
    file = tmp_path / "made" / record.RECORD_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | {"onnxruntime": "1.20.1"}))
    assert opened(KittenTTS(tmp_path / "made")).name == STANDARD_MODEL_FILE
    assert "was made with ONNX Runtime 1.20.1, and " in caplog.text


@needs_native
def test_a_directory_with_a_newer_interface_opens_the_standard_graph(quantized, tmp_path, searching, caplog):
    fastest_first(searching)
    made_for_others(quantized, tmp_path / "made")
    native_library.search.cache_clear()
    searching.setattr("kittentts_native.version", lambda: "0.1.0")
    model = KittenTTS(tmp_path / "made")
    assert opened(model).name == STANDARD_MODEL_FILE
    assert model.generate(TEXT).tobytes() == KittenTTS(quantized, optimize="off").generate(TEXT).tobytes()
    assert warnings(caplog) == ["kittentts-native is not used: it is 0.1.0, and this kittentts writes graphs for 0.2"]


def fastest_first(monkeypatch):
    """Let the order of the variants decide, not the time that they take in a test."""
    order = iter(range(100, 0, -1))
    gains = {}

    def gain(variant):
        return 0.0 if variant.difference else gains.setdefault(variant.name, float(next(order)))

    monkeypatch.setattr(build.Variant, "gain", property(gain))


@needs_native
def test_a_graph_that_names_the_domain_is_known_by_its_mark(quantized):
    made = opened(KittenTTS(quantized))
    assert onnx_graph.file_contains(made, native_library.MARK)
    assert not onnx_graph.file_contains(quantized / "tiny.onnx", native_library.MARK)
    # ONNX Runtime stores all domains that it knows
    graph = helper.make_graph([helper.make_node("Neg", ["kittentts"], ["y"], name="kittentts")], "kittentts", [], [])
    model = helper.make_model(graph, producer_name="kittentts", opset_imports=[helper.make_opsetid("kittentts", 1)])
    assert native_library.MARK not in model.SerializeToString()


@needs_native
@pytest.mark.demo
def test_the_demo_voice_speaks_the_same_bits():
    original, native = KittenTTS("demo", optimize="off"), KittenTTS("demo", optimize="exact")
    assert variant_of(native) == "native"
    texts = ("Yes.", "Is this the last one, or are there others?", "A baker on the corner opens his window.")
    for number, text in enumerate(texts):
        voice = original.available_voices[number % len(original.available_voices)]
        inputs = original.model._prepare_inputs(text, voice, (0.8, 1.0, 1.5)[number])
        inputs = {onnx_graph.token_input(original.model.session): inputs.pop("input_ids")} | inputs
        wanted, found = (model.model.session.run(["audio", "duration"], inputs) for model in (original, native))
        assert [one.tobytes() for one in wanted] == [one.tobytes() for one in found]
        assert np.abs(found[0]).max() > 0.05
