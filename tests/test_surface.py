"""The names and defaults that code written for kittentts 0.8.1 relies on."""

import importlib
import importlib.metadata
import inspect

import pytest

import kittentts
from kittentts import errors

NAMES = {
    "kittentts": "KittenTTS get_model normalize_text normalize_text_result NormalizedSpan NormalizedTextResult",
    "kittentts.get_model": "KittenTTS get_model download_from_huggingface load_from_local",
    "kittentts.onnx_model": (
        "KittenTTS_1_Onnx TextCleaner basic_english_tokenize chunk_text ensure_punctuation mono_audio_array"
    ),
    "kittentts.preprocess": (
        "TextPreprocessor chunk_text ensure_punctuation normalize_text normalize_text_result number_to_words "
        "float_to_words roman_to_int expand_contractions expand_currency expand_decades expand_fractions "
        "expand_ip_addresses expand_model_names expand_ordinals expand_percentages expand_phone_numbers expand_ranges "
        "expand_roman_numerals expand_scale_suffixes expand_scientific_notation expand_time expand_units "
        "remove_accents remove_emails remove_extra_whitespace remove_hashtags remove_html_tags remove_mentions "
        "remove_punctuation remove_stopwords remove_urls replace_numbers normalize_unicode normalize_leading_decimals "
        "to_lowercase"
    ),
}


@pytest.mark.parametrize(("module", "name"), [(m, n) for m, names in NAMES.items() for n in names.split()])
def test_name_is_importable(module, name):
    assert hasattr(importlib.import_module(module), name)


def test_what_is_public_is_importable_and_listed():
    assert kittentts.__all__ == sorted(kittentts.__all__)
    assert set(kittentts.__all__) <= set(dir(kittentts))
    for name in kittentts.__all__:
        assert getattr(kittentts, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        kittentts.Nothing  # noqa: B018


DEFAULTS = {
    "KittenTTS": {"model_name": "KittenML/kitten-tts-nano-0.8", "cache_dir": None, "backend": None},
    "KittenTTS.generate": {"voice": "expr-voice-5-m", "speed": 1.0, "clean_text": False},
    "KittenTTS.generate_stream": {"voice": "expr-voice-5-m", "speed": 1.0, "clean_text": False},
    "KittenTTS.generate_to_file": {
        "output_path": inspect.Parameter.empty,
        "voice": "expr-voice-5-m",
        "speed": 1.0,
        "sample_rate": 24000,
        "clean_text": True,
    },
    "get_model": {"repo_id": "KittenML/kitten-tts-nano-0.1", "cache_dir": None, "backend": None},
    "KittenTTS_1_Onnx": {
        "model_path": inspect.Parameter.empty,
        "voices_path": inspect.Parameter.empty,
        "speed_priors": {},
        "voice_aliases": {},
        "backend": None,
    },
    "KittenTTS_1_Onnx.generate": {"voice": "expr-voice-5-m", "speed": 1.0, "clean_text": True},
    "KittenTTS_1_Onnx.generate_stream": {"voice": "expr-voice-5-m", "speed": 1.0, "clean_text": True},
    "KittenTTS_1_Onnx.generate_to_file": {
        "output_path": inspect.Parameter.empty,
        "voice": "expr-voice-5-m",
        "speed": 1.0,
        "sample_rate": 24000,
        "clean_text": True,
    },
    "load_from_local": {"model_path": inspect.Parameter.empty, "backend": None},
}


@pytest.mark.parametrize("path", DEFAULTS)
def test_positional_parameters_and_defaults(path):
    modules = importlib.import_module("kittentts.get_model"), importlib.import_module("kittentts.onnx_model")
    owner, _, method = path.partition(".")
    function = next(getattr(module, owner) for module in modules if hasattr(module, owner))
    function = getattr(function, method) if method else function
    positional = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and name not in {"self", "text"}
    }
    assert positional == DEFAULTS[path]
    assert list(positional) == list(DEFAULTS[path])


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
