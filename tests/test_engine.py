"""One open model: what `generate`, `generate_stream` and `generate_to_file` make of a text."""

import threading
import tracemalloc

import numpy as np
import pytest
import soundfile
import threads
import tiny_model

from kittentts import KittenTTS, KittenTTSError
from kittentts.errors import SettingError, SynthesisError, TextError, TextTypeError, VoiceError
from kittentts.onnx_model import KittenTTS_1_Onnx
from kittentts.phonemes.espeak import Phonemizer
from kittentts.phonemes.vocabulary import TextCleaner, to_symbols, to_token_ids
from kittentts.preprocess import chunk_text

TEXT = "One is first. Here comes the second, a longer one! Is the third here? It ends with the fourth"
SHAPES = [(400, 256), (1, 256), (510, 1, 256)]


def expected_chunk(chunk, voice="expr-voice-5-m", speed=1.0, shape=(400, 256)):
    """The pipeline of the replaced library, step by step."""
    ids = to_token_ids(to_symbols(Phonemizer().phonemize([chunk])[0]), TextCleaner())
    rows = tiny_model.make_voices(shape)[voice]
    speed = speed * tiny_model.PRIORS.get(voice, 1.0)
    return tiny_model.waveform(ids, rows[min(len(chunk), len(rows) - 1)], speed)[:-5000]


def expected(text, **parameters):
    return np.concatenate([expected_chunk(chunk, **parameters) for chunk in chunk_text(text)])


@pytest.mark.parametrize("voice", ["expr-voice-2-f", "expr-voice-2-m", "expr-voice-5-m"])
@pytest.mark.parametrize("speed", [0.5, 1, np.float32(1.7)])
def test_order_voice_row_and_speed(tiny, voice, speed):
    audio = tiny.generate(TEXT, voice=voice, speed=speed)
    assert audio.dtype == np.float32
    assert audio.ndim == 1
    np.testing.assert_allclose(audio, expected(TEXT, voice=voice, speed=float(speed)), atol=2e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tokens", [False, True])
def test_all_interfaces_and_voice_shapes(tmp_path, shape, tokens):
    model = KittenTTS(tiny_model.make_directory(tmp_path, shape=shape, tokens=tokens))
    np.testing.assert_allclose(model.generate(TEXT), expected(TEXT, shape=shape), atol=2e-4)


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_same_bits_whatever_the_number_of_workers(tiny, tiny_directory, workers):
    text = " ".join(f"This is sentence number {i} of them." for i in range(15))
    assert KittenTTS(tiny_directory, max_workers=workers).generate(text).tobytes() == tiny.generate(text).tobytes()


def test_friendly_names_are_the_raw_voices(tiny):
    for friendly, raw in tiny_model.ALIASES.items():
        assert tiny.generate("Hello.", friendly).tobytes() == tiny.generate("Hello.", raw).tobytes()


def test_voices_and_aliases_come_from_the_files(tiny, tmp_path):
    assert tiny.available_voices == tiny.model.all_voice_names == list(tiny_model.ALIASES)
    assert tiny.model.available_voices == list(tiny_model.ALIASES.values())
    config = {"voice_aliases": {"Ann": "expr-voice-2-f", "Bob": "no-such-voice"}}
    assert KittenTTS(tiny_model.make_directory(tmp_path, config=config)).available_voices == ["Ann"]
    raw = KittenTTS(tiny_model.make_directory(tmp_path, config={"voice_aliases": {}})).available_voices
    assert raw == list(tiny_model.ALIASES.values())


def test_stream_concatenated_is_generate(tiny):
    assert np.concatenate(list(tiny.generate_stream(TEXT))).tobytes() == tiny.generate(TEXT).tobytes()


def test_stream_phonemizes_no_further_than_asked(tiny_directory):
    model = KittenTTS(tiny_directory)
    seen = []
    model.model.phonemizer.phonemize = lambda texts: seen.append(texts[0]) or Phonemizer().phonemize(texts)
    stream = model.generate_stream("First. Second. Third.")
    assert seen == []
    next(stream)
    assert seen == ["First."]
    next(stream)
    assert seen == ["First.", "Second."]
    stream.close()
    assert list(stream) == []
    assert seen == ["First.", "Second."]


@pytest.mark.parametrize("call", ["generate", "generate_stream"])
def test_one_chunk_at_a_time_runs_on_all_cores(tmp_path, call, opened, monkeypatch):
    monkeypatch.setattr("kittentts.engine.cores_of_a_call", lambda: 4)
    # of its own, for models that are opened alike share their sessions
    model = KittenTTS(tiny_model.make_directory(tmp_path), max_workers=4)
    text = "Only one sentence here." if call == "generate" else "One is here. Two is there."
    assert sum(1 for _ in getattr(model, call)(text)) > 0
    assert [threads for _, threads in opened] == [4]


def test_later_chunks_are_phonemized_while_the_first_already_runs(tiny_directory):
    model = KittenTTS(tiny_directory, max_workers=2)
    first_runs = threading.Event()
    run, phonemize = model.model.session.run, Phonemizer().phonemize

    class Session:
        def run(self, *arguments):
            first_runs.set()
            return run(*arguments)

    def wait_for_the_first_run(texts):
        assert texts[0] != "Second." or first_runs.wait(60)
        return phonemize(texts)

    model.model.session = Session()
    model.model.phonemizer.phonemize = wait_for_the_first_run
    assert len(model.generate("First. Second. Third.")) > 0


def test_chunks_run_at_the_same_time_and_keep_their_order(tiny_directory):
    model = KittenTTS(tiny_directory, max_workers=3)
    before = model.generate("One. Two! Three?")
    together = threading.Barrier(3, timeout=60)
    run = model.model.session.run

    class Session:
        def run(self, *arguments):
            together.wait()
            return run(*arguments)

    model.model.session = Session()
    assert model.generate("One. Two! Three?").tobytes() == before.tobytes()


@pytest.mark.parametrize("call", ["generate", "generate_stream"])
@pytest.mark.parametrize("text", ["Fine. It has roses in it. Fine again.", "Roses."])
def test_a_failing_chunk_raises_its_own_error_with_its_number_and_text(failing, call, text):
    number = "1 of 1" if text == "Roses." else "2 of 3"
    with pytest.raises(SynthesisError, match=rf"chunk {number}, '.*[Rr]oses.*': .*out of (bounds|data bounds)"):
        list(getattr(failing, call)(text))
    assert len(failing.generate("Fine. Still.")) > 0


def test_a_failing_chunk_drops_what_waits(tiny_directory):
    model = KittenTTS(tiny_directory, max_workers=2)
    calls, lock = [], threading.Lock()

    class Session:
        def run(self, *_):
            with lock:
                calls.append(1)
            raise ValueError("broken")

    model.model.session = Session()
    # of the two that run first, either may fail first
    with pytest.raises(SynthesisError, match=r"chunk [12] of 200, 'Sentence\.': broken") as caught:
        model.generate("Sentence. " * 200)
    assert isinstance(caught.value.__cause__, ValueError)
    assert len(calls) < 200
    assert threads.left_behind() == []


@pytest.mark.slow
def test_memory_does_not_grow_with_the_text_that_goes_to_a_file(tiny, tmp_path):
    def peak(chunks):
        tracemalloc.start()
        try:
            tiny.generate_to_file("This is one of many sentences. " * chunks, tmp_path / "book.wav")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # the waveforms of 1,000 chunks are 80 MB; their texts are held, and little else
    assert peak(1000) < peak(100) + 5e6


@pytest.mark.parametrize("text", ["7" * 396, "x" * 2000, "$ " * 1000, "日" * 400, "word " * 79 + "w" * 300])
def test_dense_text_speaks_within_the_models_positions(tiny, text):
    audio = tiny.generate(text)
    assert np.isfinite(audio).all()
    # at least one token a character that sounds, less the cut tails
    assert len(audio) > 600 * len(text.replace(" ", "")) // 2


def test_pieces_of_a_dense_chunk_say_everything_once(tiny_directory):
    model = KittenTTS(tiny_directory)
    seen = []
    run = model.model.session.run

    class Session:
        def run(self, names, inputs, *options):
            seen.append(inputs["input_ids"][0].tolist())
            return run(names, inputs, *options)

    model.model.session = Session()
    text = "$ " * 300
    model.model.generate_single_chunk(text)
    assert len(seen) > 2
    assert max(map(len, seen)) <= 512
    spoken = [id_ for ids in seen for id_ in ids[1:-2]]
    assert spoken == to_token_ids(to_symbols(Phonemizer().phonemize([text])[0]), TextCleaner())[1:-2]


@pytest.mark.parametrize("silence", [0.25, 1])
def test_sentence_silence_is_between_chunks(tiny, silence):
    parts = [tiny.generate(chunk) for chunk in chunk_text(TEXT)]
    pause = np.zeros(int(silence * 24000), np.float32)
    whole = np.concatenate([parts[0], *(np.concatenate([pause, part]) for part in parts[1:])])
    assert tiny.generate(TEXT, sentence_silence=silence).tobytes() == whole.tobytes()
    stream = tiny.generate_stream(TEXT, sentence_silence=silence)
    assert np.concatenate(list(stream)).tobytes() == whole.tobytes()


def test_clean_text(tiny):
    said = tiny.generate("it costs five dollars.")
    assert tiny.generate("It costs $5.", clean_text=True).tobytes() == said.tobytes()
    assert tiny.generate("x", clean_text=lambda text: f"it costs five dollars{text[1:]}.").tobytes() == said.tobytes()
    assert tiny.model.generate("It costs $5.").tobytes() == said.tobytes()
    assert tiny.generate("It costs 5 $.", clean_text=False).tobytes() != said.tobytes()


@pytest.mark.parametrize("text", ["Hello there.", "(Hello) [there], friend!"])
def test_phonemes_as_input(tmp_path, text):
    # one row a voice: the style does not depend on the length of the text
    model = KittenTTS(tiny_model.make_directory(tmp_path, shape=(1, 256)))
    phonemes = Phonemizer().phonemize([text])[0]
    assert model.generate(phonemes, phonemes=True).tobytes() == model.generate(text).tobytes()


def test_phonemes_that_are_none(tiny):
    with pytest.raises(TextError, match=r"'3'.*IPA"):
        tiny.generate("h3llo", phonemes=True)


def test_chunks_without_a_sound_are_left_out(tiny):
    assert tiny.generate("Hello. ... There.").tobytes() == tiny.generate("Hello. There.").tobytes()


@pytest.mark.parametrize("call", ["generate", "generate_stream", "generate_to_file"])
@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"text": ""}, TextError, "blank"),
        ({"text": " \n"}, TextError, "blank"),
        ({"text": None}, TextTypeError, "a str, not NoneType|NoneType; a str"),
        ({"text": b"Hello"}, TypeError, "a str.* bytes|bytes.* a str"),
        ({"text": "..."}, TextError, r"'\.\.\.' has no word"),
        ({"text": "\x07\u200b"}, TextError, "no word"),
        ({"voice": "Nobody"}, VoiceError, "'Nobody' is unknown; this model has Bella, Jasper, Leo$"),
        ({"voice": None}, VoiceError, "None is unknown"),
        ({"speed": 0}, SettingError, "speed=0 .*from 1e-30"),
        ({"speed": -1.0}, SettingError, "speed=-1.0"),
        ({"speed": float("nan")}, SettingError, "speed=nan"),
        ({"speed": float("inf")}, SettingError, "speed=inf"),
        ({"speed": "1"}, SettingError, "speed='1'"),
        ({"speed": True}, SettingError, "speed=True"),
        ({"speed": 1e300}, SettingError, "speed=1e[+]300"),
        ({"speed": 10**400}, SettingError, "speed=1000"),
        ({"speed": 1e-300}, SettingError, "speed=1e-300"),
        ({"text": "(" * 1000}, TextError, r"'\({40}\.\.\.' has no word"),
        ({"sentence_silence": 61}, SettingError, "sentence_silence=61"),
        ({"clean_text": lambda _: None}, TextTypeError, "NoneType"),
        ({"sentence_silence": -0.1}, SettingError, "sentence_silence=-0.1"),
        ({"clean_text": "yes"}, SettingError, "clean_text='yes'"),
        ({"phonemes": "h\u0259l\u02c8o\u028a"}, SettingError, "phonemes='.*' is neither True nor False"),
        ({"speed": np.complex64(1)}, SettingError, "speed="),
    ],
)
def test_bad_input_is_refused_at_the_door(tiny, tmp_path, call, parameters, error, message):
    parameters = {"text": "Hello."} | parameters
    if call == "generate_to_file":
        parameters["output_path"] = tmp_path / "out.wav"
    with pytest.raises(error, match=message) as caught:
        list(getattr(tiny, call)(**parameters) or ())
    assert isinstance(caught.value, KittenTTSError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["look_ahead", "low_latency"])
def test_switches_are_checked(tiny, option):
    with pytest.raises(SettingError, match=f"{option}='yes' is neither True nor False"):
        tiny.generate_stream("Hello.", **{option: "yes"})


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2", 1025])
def test_max_workers_is_checked(tiny_directory, workers):
    with pytest.raises(SettingError, match="max_workers"):
        KittenTTS(tiny_directory, max_workers=workers)


@pytest.mark.parametrize(
    "options", [{"backend": "tpu"}, {"max_workers": 0}, {"lexicon": {"a b": "a"}}, {"lexicon": ["a"]}]
)
def test_options_are_checked_before_the_model_is_looked_for(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        KittenTTS("/no/such/directory", **options)


def test_the_beginning_of_a_long_word_is_in_the_message(failing):
    with pytest.raises(SynthesisError, match=r"chunk 1 of 2, 'xxxxxxxxxx.*xxx"):
        failing.generate("x" * 60 + " roses. Fine.")


def test_the_waveform_is_found_by_its_name(tmp_path):
    model = tiny_model.make_graph()
    outputs = list(model.graph.output)
    del model.graph.output[:]
    model.graph.output.extend(reversed(outputs))
    directory = tiny_model.make_directory(tmp_path)
    (directory / "tiny.onnx").write_bytes(model.SerializeToString())
    assert len(KittenTTS(directory).generate("Hello.")) > 1000


def test_a_short_waveform_is_kept_whole(tiny):
    # "a," makes 8 tokens, 4,800 samples: fewer than the tail that is cut from longer ones
    assert len(tiny.generate("a")) == 4800


def test_single_chunk_and_its_inputs(tiny):
    engine = tiny.model
    assert engine.generate_single_chunk("Hello. There.", "Bella", 1.0).ndim == 1
    inputs = engine._prepare_inputs("Hello there.", "Jasper", 1.0)
    assert {name: (array.dtype.name, array.shape[0]) for name, array in inputs.items()} == {
        "input_ids": ("int64", 1), "style": ("float32", 1), "speed": ("float32", 1),
    }  # fmt: skip
    assert inputs["speed"] == [0.5]
    assert inputs["style"].shape == (1, 256)
    whole = engine.session.run(None, inputs)[0]
    assert whole[:-5000].tobytes() == engine.generate_single_chunk("Hello there.", "Jasper").tobytes()


def test_to_file(tiny, tmp_path):
    tiny.generate_to_file("It costs $5. Really!", tmp_path / "a.wav", voice="Bella")
    samples, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert rate == 24000
    np.testing.assert_allclose(samples, tiny.generate("It costs $5. Really!", "Bella", clean_text=True), atol=1 / 32000)
    tiny.generate_to_file("It costs $5. Really!", tmp_path / "b.wav", voice="Bella", clean_text=False)
    assert soundfile.info(tmp_path / "b.wav").frames == len(tiny.generate("It costs $5. Really!", "Bella"))


def test_engine_without_a_config(tiny_directory):
    engine = KittenTTS_1_Onnx(tiny_directory / "tiny.onnx", tiny_directory / "voices.npz")
    assert engine.all_voice_names == engine.available_voices == list(tiny_model.ALIASES.values())
    assert len(engine.generate("Hello there.")) > 0
