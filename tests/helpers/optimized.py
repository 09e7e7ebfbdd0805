"""What a model has opened, and what the optimizer keeps in its cache."""

import json

from kittentts.optimize.record import RECORD_FILE


def opened(model):
    """Return the ONNX file that a model has opened."""
    return model.model.model_path


def entries(cache):
    return [path for path in cache.iterdir() if path.is_dir()] if cache.exists() else []


def change_record(folder, **changes):
    path = folder / RECORD_FILE
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


WITHOUT_ONNX = """
import sys
sys.modules["onnx"] = None
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "onnx" else find_spec(name, *rest)
from kittentts import KittenTTS
print(KittenTTS(sys.argv[1], optimize=sys.argv[2]).model.model_path)
"""
