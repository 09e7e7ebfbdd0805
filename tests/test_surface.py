"""The names, parameters and defaults that code written for kittentts 0.8.1 and kittenml 0.9.6 relies on."""

import importlib
import importlib.metadata
import inspect
import re
from pathlib import Path

import pytest

import kittentts
from kittentts import errors

TABLE = (Path(__file__).parent / "data" / "surface.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([\w.]+):([\w.]+)` \| (.*) \| (.+) \|$", re.MULTILINE)
# module, name in it, parameters
ROWS = [(module, name, parameters.strip("` ")) for module, name, parameters, _ in ROW.findall(TABLE)]


@pytest.fixture(scope="module")
def find(tiny):
    """Return what a name of the table stands for; attributes and methods are those of an object."""
    result = kittentts.normalize_text_result("5 cats")
    text_cleaner, preprocessor = tiny.model.text_cleaner, tiny.model.preprocessor
    examples = {type(one): one for one in (tiny, tiny.model, text_cleaner, preprocessor, result, result.spans[0])}

    def find(module, path):
        found = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(examples[found] if isinstance(found, type) else found, name)
        return found

    return find


def parameters_of(function):
    """Return (name, default) of the positional parameters, in order, and of those by keyword only."""
    parameters = inspect.signature(function).parameters.values()
    positional = [(one.name, one.default) for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    return positional, {(one.name, one.default) for one in parameters if one.kind is one.KEYWORD_ONLY}


def parameters_in(text):
    return parameters_of(eval(f"lambda {text[1:-1]}: None"))  # noqa: S307 (our own table)


@pytest.mark.parametrize(("module", "path", "parameters"), ROWS)
def test_a_name_has_the_parameters_and_defaults_of_the_table(find, module, path, parameters):
    found = find(module, path)
    if parameters:
        positional, by_keyword = parameters_in(parameters)
        ours, ours_by_keyword = parameters_of(found)
        assert ours[: len(positional)] == positional
        assert by_keyword <= ours_by_keyword


def test_nothing_else_can_be_given_by_position(find):
    most = {}
    for _, path, parameters in ROWS:
        if parameters:
            most[path] = max(most.get(path, 0), len(parameters_in(parameters)[0]))
    for module, path, parameters in ROWS:
        if parameters:
            assert len(parameters_of(find(module, path))[0]) == most[path], path


def test_the_table_is_read():
    assert len(ROWS) == TABLE.count("\n| `") >= 90
    assert {row[3] for row in ROW.findall(TABLE)} == {"0.8.1", "kittenml 0.9.6", "ours"}


def test_what_is_public_is_importable_and_listed():
    assert kittentts.__all__ == sorted(kittentts.__all__)
    assert set(kittentts.__all__) <= set(dir(kittentts))
    for name in kittentts.__all__:
        assert getattr(kittentts, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        kittentts.Nothing  # noqa: B018


def test_get_model_stays_the_function_whatever_is_imported_first(run_python):
    run_python("from kittentts.get_model import KittenTTS; from kittentts import get_model; assert callable(get_model)")


def test_version_is_that_of_the_distribution():
    assert kittentts.__version__ == importlib.metadata.version("kittentts")


def test_every_error_is_ours_and_a_builtin_that_people_catch():
    ours = {value for value in vars(errors).values() if isinstance(value, type)} - {errors.KittenTTSError}
    assert len(ours) > 9
    for error in ours:
        assert issubclass(error, errors.KittenTTSError)
        assert issubclass(error, (ValueError, OSError, ImportError, RuntimeError))


def test_import_is_light(run_python):
    heavy = {
        "numpy",
        "onnxruntime",
        "phonemizer",
        "espeakng_loader",
        "huggingface_hub",
        "soundfile",
        "joblib",
        "fastapi",
    }
    code = "import sys, os; before = dict(os.environ); import kittentts; assert dict(os.environ) == before; "
    result = run_python(code + "print(*sys.modules)")
    assert not heavy & {name.partition(".")[0] for name in result.stdout.split()}
    assert not result.stderr
