"""Opening graphs, malformed ones too, and running them: what they return is checked."""

import contextlib
import os

import numpy as np
import onnx
import onnxruntime
import pytest
import tiny_model
from onnx import TensorProto, helper, numpy_helper

from kittentts import KittenTTS, KittenTTSError
from kittentts.errors import ModelError, ModelNotFoundError, SynthesisError
from kittentts.runtime import onnx_graph

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def with_output(name, nodes, kind=FLOAT, **constants):
    """Return the tiny graph with one output computed otherwise, from `tones`, `flat_ids` and the inputs."""
    model = tiny_model.make_graph()
    graph = model.graph
    (old,) = [node for node in graph.node if name in node.output]
    graph.node.remove(old)
    graph.node.extend(nodes)
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items())
    others = [one for one in graph.output if one.name != name]
    del graph.output[:]
    graph.output.extend([*others, helper.make_tensor_value_info(name, kind, None)])
    return model


def node(op_type, inputs, output, **attributes):
    return helper.make_node(op_type, inputs, [output], **attributes)


@pytest.fixture
def save(tmp_path):
    def save(model):
        (tmp_path / "tiny.onnx").write_bytes(model.SerializeToString())
        return tmp_path / "tiny.onnx"

    return save


@pytest.fixture
def run(save):
    """Run a graph on six tokens."""

    def run(model):
        session = onnx_graph.open_session(save(model))
        inputs = {
            "input_ids": np.array([[0, 5, 6, 7, 10, 0]]),
            "style": np.zeros((1, 256), np.float32),
            "speed": np.ones(1, np.float32),
        }
        names = onnx_graph.waveform_output(session), onnx_graph.duration_output(session)
        return onnx_graph.run(session, inputs, *names, onnx_graph.run_options())

    return run


def test_a_run_returns_a_waveform_of_its_own_and_durations(run):
    waveform, durations = run(tiny_model.make_graph())
    assert (waveform.dtype, waveform.shape) == (np.float32, (3600,))
    # else it would keep ONNX Runtime's arena from giving memory back
    assert waveform.base is None
    assert (durations.dtype, durations.tolist()) == (np.int64, [1] * 6)


def test_a_session_has_the_threads_asked_for_and_keeps_no_memory_pattern(save):
    """A pattern is kept for each length of text, so that memory grows."""
    options = onnx_graph.open_session(save(tiny_model.make_graph()), threads=3).get_session_options()
    assert options.intra_op_num_threads == 3
    assert not options.enable_mem_pattern


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_other_floats_become_float32(run, kind):
    waveform, _ = run(with_output("waveform", [node("Cast", ["tones"], "waveform", to=kind)], kind))
    assert waveform.dtype == np.float32
    assert waveform.size == 3600


@pytest.mark.parametrize(
    ("nodes", "constants", "message"),
    [
        ([node("Div", ["tones", "nil"], "waveform")], {"nil": np.float32(0)}, "NaN or infinity"),
        ([node("Sqrt", ["tones"], "waveform")], {}, "NaN or infinity"),
        ([node("Reshape", ["tones", "two"], "waveform")], {"two": [2, -1]}, r"shape \(2, 1800\) is not mono"),
    ],
)
def test_what_is_no_sound_is_an_error(run, nodes, constants, message):
    with pytest.raises(SynthesisError, match=message):
        run(with_output("waveform", nodes, **constants))


def test_a_double_beyond_float32_is_an_error(run):
    nodes = [node("Cast", ["tones"], "wide", to=TensorProto.DOUBLE), node("Mul", ["wide", "huge"], "waveform")]
    with pytest.raises(SynthesisError, match="NaN or infinity"):
        run(with_output("waveform", nodes, TensorProto.DOUBLE, huge=1e300))


def test_the_error_names_the_chunk(tmp_path):
    directory = tiny_model.make_directory(tmp_path)
    model = with_output("waveform", [node("Sqrt", ["tones"], "waveform")])
    (directory / "tiny.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(SynthesisError, match=r"chunk 1 of 1.*Hello.*NaN or infinity"):
        KittenTTS(directory).generate("Hello.")


@pytest.mark.parametrize("kind", [TensorProto.STRING, INT64])
def test_a_waveform_that_is_no_tensor_of_floats_is_refused(save, kind):
    model = with_output("waveform", [node("Cast", ["tones"], "waveform", to=kind)], kind)
    with pytest.raises(ModelError, match=r"has the outputs .*a voice has waveform \(or audio\), a tensor of floats"):
        onnx_graph.open_session(save(model))


def test_a_graph_without_outputs_is_refused(save):
    model = tiny_model.make_graph()
    del model.graph.output[:]
    with pytest.raises(ModelError):
        onnx_graph.open_session(save(model))


def test_a_further_input_is_refused(save):
    model = tiny_model.make_graph()
    model.graph.input.append(helper.make_tensor_value_info("accent", FLOAT, [1]))
    with pytest.raises(ModelError, match=r"inputs \['accent', 'input_ids', 'speed', 'style'\]"):
        onnx_graph.open_session(save(model))


@pytest.mark.parametrize(
    ("nodes", "kind", "constants"),
    [
        ([node("Slice", ["flat_ids", "from", "to"], "duration")], INT64, {"from": [0], "to": [2]}),
        ([node("Slice", ["flat_ids", "from", "to"], "duration")], INT64, {"from": [0], "to": [0]}),
        ([node("Identity", ["six"], "duration")], INT64, {"six": 6}),
        ([node("Identity", ["seven"], "duration")], INT64, {"seven": [1, 1, 1, 1, 1, 1, 0]}),
        ([node("Identity", ["less"], "duration")], INT64, {"less": [-1, 3, 1, 1, 1, 1]}),
        ([node("Cast", ["flat_ids"], "duration", to=TensorProto.STRING)], TensorProto.STRING, {}),
        ([node("Cast", ["flat_ids"], "duration", to=FLOAT)], FLOAT, {}),
    ],
)
@pytest.mark.parametrize("trim", ["fixed", "exact"])
def test_durations_that_are_not_one_for_each_token_count_as_unknown(run, tmp_path, nodes, kind, constants, trim):
    model = with_output("duration", nodes, kind, **constants)
    assert run(model)[1] is None
    directory = tiny_model.make_directory(tmp_path / "voice")
    (directory / "tiny.onnx").write_bytes(model.SerializeToString())
    speech = KittenTTS(directory).synthesize("Hello there.", trim=trim)
    assert speech.audio.size
    assert speech.chunks[0].words is None


def test_another_second_output_is_no_duration(run):
    model = tiny_model.make_graph()
    for one in (*model.graph.output, *model.graph.node):
        if isinstance(one, onnx.NodeProto):
            one.output[:] = ["pitches" if name == "duration" else name for name in one.output]
        elif one.name == "duration":
            one.name = "pitches"
    assert run(model)[1] is None


@pytest.mark.parametrize("name", ["RandomNormal", "RandomNormalLike", "RandomUniform", "Multinomial", "Bernoulli"])
def test_random_operators_are_recognised(save, name):
    model = tiny_model.make_graph()
    assert not onnx_graph.has_random_nodes(save(model))
    model.graph.node.append(node(name, ["style"], "unused"))
    assert onnx_graph.has_random_nodes(save(model))


@pytest.mark.parametrize(
    ("content", "found"), [(b"Random", True), (b"a Random", True), (b"a Rando", False), (b"", False)]
)
def test_what_a_file_contains(tmp_path, content, found):
    (tmp_path / "file").write_bytes(content)
    assert onnx_graph.file_contains(tmp_path / "file", b"Other", b"Random") == found


def test_options_that_give_memory_back():
    key = "memory.enable_memory_arena_shrinkage"
    assert onnx_graph.run_options(shrink=True).get_run_config_entry(key) == "cpu:0"


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelNotFoundError, match="there is no ONNX file"):
        onnx_graph.open_session(tmp_path / "nowhere.onnx")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.timeout(20)
def test_a_pipe_is_no_graph(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    for path in (tmp_path / "pipe.onnx", tmp_path, "/dev/zero"):
        with pytest.raises(ModelError, match="is a folder, a pipe or a device"):
            onnx_graph.open_session(path)


def save_outside(folder, location):
    """Write a graph whose table is in another file."""
    model = tiny_model.make_graph()
    (table,) = [one for one in model.graph.initializer if one.name == "table"]
    folder.mkdir()
    (folder.parent / "table.bin").write_bytes(table.raw_data)
    table.ClearField("raw_data")
    table.data_location = TensorProto.EXTERNAL
    table.external_data.add(key="location", value=location)
    (folder / "tiny.onnx").write_bytes(model.SerializeToString())
    return folder / "tiny.onnx"


@pytest.mark.parametrize("inside", [True, False])
def test_tensors_in_other_files_are_refused(tmp_path, inside):
    folder = tmp_path / "model"
    path = save_outside(folder, "table.bin" if inside else "../table.bin")
    (folder / "table.bin").write_bytes((tmp_path / "table.bin").read_bytes())
    with pytest.raises(ModelError, match="keeps tensors in other files"):
        onnx_graph.open_session(path)


def test_a_padded_length_does_not_hide_them(tmp_path):
    path = save_outside(tmp_path / "model", "../table.bin")
    # tag, length and text of the key and of its value; protobuf reads 0x88 0x00 as 8, too
    plain, padded = b"\n\x08location\x12\x0c../table.bin", b"\n\x88\x00location\x12\x0b../tabl.bin"
    content = path.read_bytes()
    assert content.count(plain) == 1
    path.write_bytes(content.replace(plain, padded))
    with pytest.raises(ModelError, match="keeps tensors in other files"):
        onnx_graph.open_session(path)


def test_a_tensor_named_like_the_key_is_none_of_them(save):
    model = tiny_model.make_graph()
    model.graph.node.append(node("Identity", ["style"], "/decoder/location"))
    model.graph.node[-1].name = "location_layer"
    assert onnx_graph.open_session(save(model))


@pytest.mark.parametrize("seed", range(40))
def test_damaged_graphs_end_in_an_error_of_ours(save, capfd, seed):
    random = np.random.default_rng(seed)
    content = bytearray(tiny_model.make_graph().SerializeToString())
    for place in random.integers(len(content), size=30):
        content[place] = random.integers(256)
    path = save(tiny_model.make_graph())
    path.write_bytes(content)
    with contextlib.suppress(KittenTTSError):
        onnx_graph.open_session(path)
    # versions before 1.24 or so print before they raise, and cannot be told not to
    if tuple(map(int, onnxruntime.__version__.split(".")[:2])) >= (1, 24):
        assert capfd.readouterr() == ("", "")
