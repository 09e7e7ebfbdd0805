"""What code written for kittentts 0.8.1 and kittenml 0.9.6 does works, not only the names (see test_surface.py)."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model

import kittentts
from kittentts import KittenTTS, normalize_text, normalize_text_result
from kittentts.errors import BackendError, SettingError
from kittentts.onnx_model import KittenTTS_1_Onnx, TextCleaner, basic_english_tokenize
from kittentts.preprocess import TextPreprocessor, chunk_text, ensure_punctuation, float_to_words

MIGRATION = (Path(__file__).parent.parent / "docs" / "migration.md").read_text(encoding="utf-8")
SCRIPTS = Path(__file__).parent / "data" / "old_callers"
MODEL = "KittenML/kitten-tts-mini-0.8"
NAMES = ["Bella", "Jasper", "Luna", "Bruno", "Rosie", "Hugo", "Kiki", "Leo"]


@pytest.fixture
def run_script(tmp_path):
    """Run a script with the model's name as its only change; return its model and what it prints."""

    def run(name):
        raw = list(tiny_model.ALIASES.values())
        aliases = {name: raw[i % 3] for i, name in enumerate(NAMES)}
        directory = tiny_model.make_directory(tmp_path / "model", config={"voice_aliases": aliases})
        code = (SCRIPTS / name).read_text(encoding="utf-8")
        assert code.count(MODEL) == 1
        script = tmp_path / name
        script.write_text(code.replace(f'"{MODEL}"', repr(str(directory))), encoding="utf-8")
        result = subprocess.run(
            [sys.executable, script], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=240, check=False
        )
        assert result.returncode == 0, result.stderr
        return KittenTTS(directory), result.stdout

    return run


def test_example(run_script, tmp_path):
    model, output = run_script("example.py")
    assert str(NAMES) in output
    written, rate = soundfile.read(tmp_path / "output.wav", dtype="float32")
    text = "The kettle sang on the stove. Anna poured two cups of tea and sat down by the window. "
    assert rate == 24_000
    assert written == pytest.approx(model.generate(text, "Bruno"), abs=1 / 32_767)


def test_example_streaming(run_script, tmp_path):
    model, output = run_script("example_streaming.py")
    written, rate = soundfile.read(tmp_path / "output_streaming.wav", dtype="float32")
    text = "The kettle sang on the stove. Anna poured two cups of tea. She sat down by the window. It rained!"
    assert rate == 24_000
    assert written == pytest.approx(model.generate(text, "Bruno"), abs=1 / 32_767)
    chunks = list(model.generate_stream(text, "Bruno"))
    assert len(chunks) == 4
    for i, chunk in enumerate(chunks, 1):
        assert f"chunk {i}: {len(chunk)} samples" in output


def test_the_session_runs_what_prepare_inputs_returns(tiny):
    engine = tiny.model
    outputs = engine.session.run(None, engine._prepare_inputs("Hello there.", "Jasper", 1.5))
    expected = engine.generate_single_chunk("Hello there.", voice="Jasper", speed=1.5)
    assert np.array_equal(outputs[0][..., :-5000], expected)


def test_the_pipeline_by_hand(tiny):
    """The phonemes, the tokens and the row of the voice, as 0.8.1 puts them together."""
    engine, text = tiny.model, "How are you?"
    phonemes = " ".join(basic_english_tokenize(engine.phonemizer.phonemize([text])[0]))
    raw = engine.voice_aliases["Bella"]
    inputs = {
        "input_ids": np.array([[0, *engine.text_cleaner(phonemes), 10, 0]]),
        "style": engine.voices[raw][len(text) : len(text) + 1],
        "speed": np.array([engine.speed_priors.get(raw, 1.0)], np.float32),
    }
    ours = engine._prepare_inputs(text, "Bella")
    assert inputs.keys() == ours.keys()
    assert all(np.array_equal(inputs[name], ours[name]) and inputs[name].dtype == ours[name].dtype for name in inputs)


def test_the_engine_opens_the_files_of_the_working_directory(tiny, tiny_directory, tmp_path, monkeypatch):
    (tmp_path / "kitten_tts_nano_preview.onnx").write_bytes((tiny_directory / "tiny.onnx").read_bytes())
    (tmp_path / "voices.npz").write_bytes((tiny_directory / "voices.npz").read_bytes())
    monkeypatch.chdir(tmp_path)
    engine = KittenTTS_1_Onnx()
    assert engine.model_path == "kitten_tts_nano_preview.onnx"
    assert np.array_equal(engine.generate("Hello."), tiny.generate("hello."))


def test_a_preprocessor_in_its_place_may_be_any_function(tiny_directory, tiny):
    model = KittenTTS(tiny_directory)
    model.model.preprocessor = lambda text: text.replace("X", "Hello.")
    assert np.array_equal(model.generate("X", clean_text=True), tiny.generate("Hello."))


def test_voices_are_like_numpys(tiny, tiny_directory):
    voices, numpys = tiny.model.voices, np.load(tiny_directory / "voices.npz")
    assert voices.files == numpys.files
    assert list(voices) == list(numpys)
    assert all(np.array_equal(voices[name], numpys[name]) for name in voices)


def test_phonemize_takes_one_text_and_strips(tiny):
    phonemize = tiny.model.phonemizer.phonemize
    (several,) = phonemize(["Hello there."], strip=True)
    assert several == phonemize("Hello there.") == "həlˈoʊ ðˈɛɹ."
    assert phonemize(" Hi. ", strip=True) == phonemize("Hi.")
    assert phonemize(["One.", "Two."], strip=True) == [phonemize("One."), phonemize("Two.")]


def test_a_symbol_can_be_added_to_the_dictionary():
    cleaner = TextCleaner(dummy=None)
    assert cleaner.word_index_dictionary["a"] == cleaner("a")[0]
    assert cleaner("a#") == cleaner("a")
    cleaner.word_index_dictionary["#"] = 177
    assert cleaner("#") == [177]
    assert TextCleaner()("#") == []


def test_config_of_the_preprocessor():
    preprocessor = TextPreprocessor(remove_punctuation=False)
    assert preprocessor.config == {**TextPreprocessor().config, "remove_punctuation": False}
    json.dumps(preprocessor.config)
    assert preprocessor("It's 5!") == "it is five!"
    preprocessor.config["lowercase"] = False
    assert preprocessor("It's 5!") == "It is five!"
    assert preprocessor.lowercase is False
    assert TextPreprocessor().lowercase is True


def test_the_word_for_the_point():
    assert float_to_words(1.5, decimal_sep="comma") == float_to_words("1.5", "comma") == "one comma five"


def test_author_and_description():
    assert "kittentts" in kittentts.__author__
    assert "speech" in kittentts.__description__


@pytest.mark.parametrize("owner", ["kittentts", "model", "engine"])
def test_normalize_text_with_spans(owner, tiny):
    normalize = {"kittentts": kittentts, "model": tiny, "engine": tiny.model}[owner].normalize_text
    assert normalize("It cost $5.", locale="en-US") == "It cost five dollars."
    result = normalize("It cost $5.", "en-US", True)
    assert result == normalize_text_result("It cost $5.") == normalize("It cost $5.", return_spans=True)
    assert (result.text, result.original) == ("It cost five dollars.", "It cost $5.")
    (span,) = result.spans
    assert result.text[span.normalizedStartChar : span.normalizedEndChar] == "five dollars"
    assert result.original[span.originalStartChar : span.originalEndChar] == "$5"


def test_a_result_of_normalization_becomes_json():
    result = json.loads(json.dumps(dataclasses.asdict(normalize_text("5 cats", return_spans=True))))
    assert result["text"] == "five cats"
    assert isinstance(normalize_text_result("cats").spans, list)
    assert result["spans"][0]["reason"] == "number"


def test_kittenmls_name_of_the_class(tiny_directory):
    assert isinstance(kittentts.KittenTTSOnnx(tiny_directory), KittenTTS)


def test_kittenmls_parameters(tiny, tiny_directory):
    model = KittenTTS(tiny_directory, None, None, "cpu", "hf_x", vllm_options=None, mlx_options=None)
    assert np.array_equal(model.generate("Hello."), tiny.generate("Hello."))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"device": "cuda"}, BackendError, "device='cuda' is unknown; leave it out or give 'cpu'.*backend='cuda'"),
        ({"device": 0}, BackendError, "device=0"),
        (
            {"vllm_options": {}},
            SettingError,
            r"vllm_options=\{\} is for KittenTTS 2 models, which .*kittenml.* in vLLM",
        ),
        ({"mlx_options": {"a": 1}}, SettingError, "mlx_options=.* in MLX"),
        ({"hf_token": ""}, SettingError, "hf_token is no token"),
        ({"hf_token": True}, SettingError, "hf_token is no token"),
    ],
)
def test_what_this_library_does_not_have_is_an_error(options, error, message):
    # before the model is looked for
    with pytest.raises(error, match=message):
        KittenTTS("/no/such/directory", **options)


def test_a_malformed_token_is_not_shown():
    with pytest.raises(SettingError) as caught:
        KittenTTS("/no/such/directory", hf_token="hf_secret\n")  # noqa: S106
    assert "secret" not in str(caught.value)


def old_chunks(text):
    """The chunks of 0.8.1, for sentences of up to 400 characters."""
    return [ensure_punctuation(part) for part in re.split("[.!?]+", text) if part.strip()]


def test_the_table_of_chunks_is_true():
    table = MIGRATION.partition("| text | 0.8.1 |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert len(rows) > 10
    for text, old, _, here in rows:
        assert chunk_text(text) == re.findall("`(.+?)`", here)
        assert old_chunks(text) == re.findall("`(.+?)`", old)


def test_the_way_to_the_old_chunks(run_python, tiny, tiny_directory):
    (code,) = re.findall(r"```python\n(.+?)```", MIGRATION, re.DOTALL)
    code = code.replace('"demo"', repr(str(tiny_directory))).replace('"Luna"', '"Bella"')
    result = run_python(code + "import sys; sys.stdout.write(audio.tobytes().hex())")
    spoken = [tiny.model.generate_single_chunk(chunk, "Bella") for chunk in ("It costs $3,", "50,", "How are you,")]
    assert result.stdout == np.concatenate(spoken).tobytes().hex()
