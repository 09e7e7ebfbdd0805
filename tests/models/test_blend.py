"""Blends of voices, and voices of one's own."""

import numpy as np
import pytest
import tiny_model
from marked_up import inputs_of, one_by_one

from kittentts import KittenTTS
from kittentts.errors import SettingError, VoiceError
from kittentts.models.blend import find_style

VOICES = {"a": np.full((3, 256), 1.0, np.float32), "b": np.full((5, 1, 256), 4.0, np.float32)}
VOICES["a"][-1] = 2
VOICES["b"][-1] = 7
ALIASES = {"Anna": "a", "Ben": "b"}


def blend(name, priors=None):
    return find_style(name, ALIASES, VOICES, priors or {})


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("Anna:0.25+Ben:0.75", 0.75), ("Anna(1)+Ben(3)", 0.75), (" anna : 2 + BEN (6) ", 0.75), ("Anna+Ben:3", 0.75),
        ("a+b", 0.5), ("Anna+a:2+Ben:9", 0.75), ("Anna:7", 0.0), ("Ben(1e-9)", 1.0), ("Anna:1e300+Ben:1e300", 0.5),
    ],
)  # fmt: skip
def test_it_is_the_weighted_mean(name, share):
    style, prior = blend(name, {"a": 0.5})
    rows = style.reshape(len(style), 256)
    assert style.dtype == np.float32
    assert np.allclose(rows[0], 1 + 3 * share, rtol=1e-6)
    # the last row of the shorter one goes on
    assert np.allclose(rows[-1], 2 + 5 * share, rtol=1e-6)
    assert prior == pytest.approx(0.5 + 0.5 * share)


def test_a_voice_alone_has_its_own_bits():
    assert blend("Anna")[0] is VOICES["a"]
    assert np.array_equal(blend("Ben:3")[0].reshape(5, 1, 256), VOICES["b"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Anna+Carl", "voice='Anna[+]Carl': voice='Carl' is unknown; this model has Anna, Ben"),
        ("Anna:x+Ben", "the weight of 'Anna:x' is not a number above 0"),
        ("Anna:0+Ben", "the weight of 'Anna:0' is not"),
        ("Anna:-1+Ben", "the weight of 'Anna:-1' is not"),
        ("Anna:nan+Ben", "the weight of 'Anna:nan' is not"),
        ("Anna:+Ben", "the weight of 'Anna:' is not"),
        ("Anna:inf", "the weight of 'Anna:inf' is not"),
        ("Anna:1e308+Ben:1e308", "the weights add up to inf"),
        ("Anna+", r"'' is no part of a blend, which is written 'Bella:0.7\+Luna:0.3' or 'Bella\(2\)\+Luna\(1\)'"),
        ("+", "'' is no part"),
        ("Anna(2", r"'Anna\(2' is no part"),
        ("Anna(2)x+Ben", r"'Anna\(2\)x' is no part"),
        (":2", "':2' is no part"),
        ("Ana:2", "did you mean 'Anna'"),
    ],
)
def test_the_part_that_is_wrong_is_named(name, message):
    with pytest.raises(VoiceError, match=message):
        blend(name)


def test_a_name_with_signs_in_it_stays_a_name():
    odd = {"x+y": VOICES["a"], "x": VOICES["b"]}
    assert find_style("x+y", {}, odd, {})[0] is odd["x+y"]


def test_it_reaches_the_graph_in_all_methods(tiny_directory, tmp_path):
    model = one_by_one(tiny_directory)
    voices = tiny_model.make_voices()
    mean = 0.75 * voices["expr-voice-2-f"] + 0.25 * voices["expr-voice-2-m"]
    ((ids, style, speed),) = inputs_of(model, "Hello there.", voice="Bella(3)+Jasper(1)")
    assert np.allclose(np.frombuffer(style, np.float32), mean[12], rtol=1e-6)
    assert speed == 0.875
    assert ids == inputs_of(model, "Hello there.", voice="Leo")[0][0]
    expected = model.generate("Hello there.", "Bella:3+Jasper")
    assert np.array_equal(np.concatenate(list(model.generate_stream("Hello there.", "Bella:3+Jasper"))), expected)
    (result,) = model.generate_many([("x", "Hello there.", "bella:0.75+jasper:0.25")])
    assert np.array_equal(result.audio, expected)
    model.generate_to_file("Hello there.", tmp_path / "x.raw", "Bella:3+Jasper", clean_text=False)
    assert (tmp_path / "x.raw").stat().st_size == 2 * len(expected)
    with pytest.raises(VoiceError, match="'Bella:x'"):
        model.generate_many(["Hello"], voice="Bella:x")


class TestOwnVoice:
    def test_it_speaks_and_is_listed(self, tiny_directory):
        model = one_by_one(tiny_directory)
        style = np.random.default_rng(1).random((20, 256))
        model.add_voice("Ann", style)
        assert model.available_voices == ["Bella", "Jasper", "Leo", "Ann"]
        ((_, found, speed),) = inputs_of(model, "Hello there.", voice="ann")
        assert found == style[12].astype(np.float32).tobytes()
        assert speed == 1.0
        # one's own may be replaced
        model.add_voice("Ann", style[:1].tolist())
        ((_, found, _),) = inputs_of(model, "Hello there.", voice="Ann")
        assert found == style[0].astype(np.float32).tobytes()

    def test_where_there_are_no_friendly_names(self, tmp_path):
        model = KittenTTS(tiny_model.make_directory(tmp_path / "raw", config={"voice_aliases": {}}))
        model.add_voice("Ann", np.zeros((1, 256), np.float16))
        assert model.available_voices == [*tiny_model.make_voices(), "Ann"]

    @pytest.mark.parametrize(
        ("name", "style", "error", "message"),
        [
            ("bella", np.zeros((1, 256)), VoiceError, "name='bella' is a voice of this model already"),
            ("EXPR-voice-5-m", np.zeros((1, 256)), VoiceError, "is a voice of this model already"),
            ("a+b", np.zeros((1, 256)), VoiceError, r"name='a\+b' cannot name a voice: a str without \+ : \( \)"),
            (" ", np.zeros((1, 256)), VoiceError, "cannot name a voice"),
            (5, np.zeros((1, 256)), VoiceError, "name=5 cannot name a voice"),
            (
                "x",
                np.zeros((1, 255)),
                SettingError,
                r"the style of the voice 'x' is float64 of shape \(1, 255\); floats",
            ),
            ("x", np.zeros((0, 256)), SettingError, r"of shape \(0, 256\)"),
            ("x", np.zeros(256), SettingError, r"of shape \(256,\)"),
            ("x", np.zeros((1, 256), int), SettingError, "is int64 of shape"),
            ("x", np.full((1, 256), np.nan), SettingError, "has NaN or infinity in it"),
            ("x", np.full((1, 256), 1e300), SettingError, "has NaN or infinity in it"),
            ("x", [[1.0], [1.0, 2.0]], SettingError, "the style of the voice 'x' is no array"),
            ("x", None, SettingError, r"is object of shape \(\)"),
        ],
    )
    def test_what_is_none_is_named(self, tiny, name, style, error, message):
        with pytest.raises(error, match=message):
            tiny.add_voice(name, style)
        assert tiny.available_voices == ["Bella", "Jasper", "Leo"]
