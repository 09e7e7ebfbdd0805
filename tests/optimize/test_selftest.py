"""Does this CPU multiply exactly? The answer of a real CPU, and of an emulated one without VNNI."""

import base64
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import quantized_model
from onnx import TensorProto, helper

from kittentts.models.cache import sha1
from kittentts.models.probes import probes
from kittentts.optimize import selftest
from kittentts.optimize.convolution import convolution_rule, largest_pair
from kittentts.optimize.record import MODEL_FILE, RULES, Record, write_record
from kittentts.optimize.rewrite import apply
from kittentts.optimize.selftest import LARGEST_PAIR, SAFE_PAIR, is_exact

QEMU = shutil.which("qemu-x86_64")
CPU = Path("/proc/cpuinfo")
has_vnni = any(name in CPU.read_text() for name in ("avx512_vnni", "avx_vnni")) if CPU.is_file() else None


def test_the_graph_is_what_its_comment_says():
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["y"])],
        "selftest",
        [
            helper.make_tensor_value_info("a", TensorProto.UINT8, ["m", "k"]),
            helper.make_tensor_value_info("b", TensorProto.INT8, ["k", "n"]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.INT32, ["m", "n"])],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="kittentts"
    )
    assert base64.b64encode(model.SerializeToString(deterministic=True)) == base64.b64encode(selftest._MATMUL)


@pytest.mark.parametrize("pair", [0, 1, 2, 115, 127, SAFE_PAIR])
def test_pairs_that_cannot_saturate_pass_on_every_cpu(pair):
    assert is_exact(pair)


@pytest.mark.skipif(has_vnni is None or platform.machine() != "x86_64", reason="reads /proc/cpuinfo of x86")
def test_pairs_that_can_saturate_pass_where_the_cpu_has_the_instructions():
    assert is_exact(LARGEST_PAIR) == has_vnni
    # one more than is safe shows already
    assert is_exact(SAFE_PAIR + 1) == has_vnni


@pytest.mark.parametrize("pair", [1, 115, SAFE_PAIR, 255, LARGEST_PAIR])
def test_the_weights_are_the_worst_of_their_kind(pair):
    weights = selftest._worst_weights(pair, 6, 4).astype(int)
    assert weights.shape == (6, 4)
    sums = weights[::2] + weights[1::2]
    # there is no +128
    assert sums.max() == min(pair, 254)
    assert sums.min() == -pair


class SaturatingSession:
    """Multiplies like an x86 CPU without VNNI: the sums of two neighbouring products saturate at 16 bits."""

    def run(self, _, inputs):
        products = inputs["a"].astype(int)[:, :, np.newaxis] * inputs["b"].astype(int)
        return [(products[:, ::2] + products[:, 1::2]).clip(-(2**15), 2**15 - 1).sum(axis=1)]


def test_a_cpu_that_saturates_is_found_out(monkeypatch):
    monkeypatch.setattr(selftest, "open_single_threaded", lambda _: SaturatingSession())
    fresh = is_exact.__wrapped__
    assert [fresh(pair) for pair in (0, 1, SAFE_PAIR)] == [True] * 3
    assert [fresh(pair) for pair in (SAFE_PAIR + 1, 200, LARGEST_PAIR)] == [False] * 3


EMULATED = """
import json, pathlib, sys
import numpy as np
from kittentts.optimize import record, selftest
from kittentts.optimize.session import open_single_threaded
from kittentts.models.probes import probes

answers = {"exact": {pair: selftest.is_exact(pair) for pair in (128, 129, 256)}}
for name in ("narrow", "wide"):
    folder = pathlib.Path(sys.argv[1]) / name
    original = folder / "tiny.onnx"
    file = record.usable_file(folder, original)
    answers[name] = file.name
    session = open_single_threaded(file)
    same = []
    for number, inputs in enumerate(probes(folder / "voices.npz", "input_ids")):
        wanted = np.load(folder / f"{number}.npy")
        same.append(session.run(None, inputs)[0].tobytes() == wanted.tobytes())
    answers[name + " same"] = all(same)
    wrong = open_single_threaded(folder / record.MODEL_FILE).run(None, inputs)[0]
    answers[name + " optimized differs"] = float(np.abs(wrong - wanted).max())
print(json.dumps(answers))
"""


def make_signed(folder, *, extreme):
    """Write a model with a signed graph that was made on a CPU with VNNI, and what the original says on this one."""
    quantized_model.voice_directory(folder, extreme=extreme)
    original = folder / "tiny.onnx"
    model = onnx.load(original)
    applied = apply(model, [convolution_rule("signed", LARGEST_PAIR)])
    assert applied.refused.total() == 0
    onnx.save(model, folder / MODEL_FILE)
    record = Record(
        source=sha1(original), variant="signed", file=sha1(folder / MODEL_FILE), largest_pair=largest_pair(model),
        rules=RULES, onnxruntime="", cpu="another", thorough=True, seconds={},
    )  # fmt: skip
    write_record(record, folder)
    session = selftest.open_single_threaded(original)
    for number, inputs in enumerate(probes(folder / "voices.npz", "input_ids")):
        np.save(folder / f"{number}.npy", session.run(None, inputs)[0])
    return record.largest_pair


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(QEMU is None, reason="needs qemu-x86_64 (Debian: apt-get install qemu-user)")
def test_on_an_emulated_cpu_without_vnni(tmp_path):
    assert make_signed(tmp_path / "narrow", extreme=False) <= SAFE_PAIR
    assert make_signed(tmp_path / "wide", extreme=True) > SAFE_PAIR
    answer = subprocess.run(
        [QEMU, "-cpu", "Haswell", sys.executable, "-c", EMULATED, str(tmp_path)],
        capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["exact"] == {"128": True, "129": False, "256": False}
    # weights that cannot saturate are used and right; others are refused, and would have been wrong
    assert found["narrow"] == MODEL_FILE
    assert found["narrow same"]
    assert found["wide"] == "tiny.onnx"
    assert found["wide same"]
    assert found["wide optimized differs"] > 0
