"""Waveform -> bytes and files in every format, read back with soundfile and with ffmpeg."""

import io
import logging
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from kittentts.audio.encoder import Encoder
from kittentts.audio.files import open_file
from kittentts.audio.formats import FORMATS
from kittentts.errors import MissingExtraError, SettingError

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
RAW = {"format": "RAW", "samplerate": 24000, "channels": 1, "subtype": "PCM_16", "endian": "LITTLE"}


def tone(seconds, frequency=440.0):
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * 24000)) / 24000)).astype(np.float32)


def encode(name, waveforms, *options):
    encoder = Encoder(name, *options)
    return [*map(encoder.encode, waveforms), encoder.finish()]


def read(data, name):
    return soundfile.read(io.BytesIO(data), **(RAW if name == "raw" else {}))[0]


def read_with_ffmpeg(data, name):
    layout = ["-f", "s16le", "-ar", "24000", "-ac", "1"] if name == "raw" else []
    command = ["ffmpeg", "-v", "error", *layout, "-i", "pipe:0", "-f", "f32le", "-ar", "24000", "-ac", "1", "pipe:1"]
    result = subprocess.run(command, input=data, capture_output=True, check=True)
    # of a WAV of unknown length ffmpeg says that its end is cut off; its samples are all there
    assert name == "wav" or not result.stderr
    return np.frombuffer(result.stdout, np.float32)


READERS = [pytest.param(read, id="soundfile"), pytest.param(read_with_ffmpeg, id="ffmpeg", marks=needs_ffmpeg)]


def check_tone(samples, seconds, frequency=440.0):
    # lossy formats add up to 0.1 s; LAME is 0.45 dB quieter at a constant bit rate
    assert seconds - 0.001 <= len(samples) / 24000 < seconds + 0.1
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.06)
    # no click or gap at the borders of the parts: each period is the one before it
    # (libopus takes a third of a second to get used to a tone)
    middle = samples[12000:-4800]
    period = round(24000 * 6 / frequency)
    assert np.abs(middle[period:] - middle[:-period]).max() < 0.06
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * 24000 / len(middle) == pytest.approx(frequency, abs=0.5)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("reader", READERS)
def test_a_stream_has_the_right_length_level_and_pitch(name, reader):
    # 400 Hz: six periods are 360 samples
    parts = encode(name, np.array_split(tone(12, 400.0), 7))
    check_tone(reader(b"".join(parts), name), 12, 400.0)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("reader", READERS)
def test_a_file_has_the_right_length_level_and_pitch(tmp_path, name, reader):
    with open_file(tmp_path / f"a.{name}") as write:
        for part in np.array_split(tone(12, 400.0), 7):
            write(part)
    check_tone(reader((tmp_path / f"a.{name}").read_bytes(), name), 12, 400.0)


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"flac"}))
def test_a_stream_begins_with_the_first_waveforms_and_is_not_kept(name):
    encoder = Encoder(name)
    waveform = tone(4)
    sizes = [len(encoder.encode(waveform)) for _ in range(8)]
    assert all(sizes)
    # what is held back does not grow
    assert len(encoder.finish()) < max(sizes)


def test_flac_comes_at_the_end():
    parts = encode("flac", [tone(1), tone(1)])
    assert parts[:-1] == [b"", b""]
    assert soundfile.info(io.BytesIO(parts[-1])).frames == 48000


def test_a_wav_stream_does_not_know_its_length():
    parts = encode("wav", [tone(1)])
    header = parts[0][:44]
    assert struct.unpack("<4sI4s4sIHHIIHH4sI", header) == (
        *(b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16),
        *(1, 1, 24000, 48000, 2, 16, b"data", 0xFFFFFFFF),
    )
    assert b"".join(parts)[44:] == b"".join(encode("raw", [tone(1)]))


@pytest.mark.parametrize("reader", READERS)
def test_two_mp3_streams_one_after_the_other_are_one(reader):
    stream = b"".join(encode("mp3", [tone(3)]))
    assert not any(tag in stream for tag in (b"Xing", b"Info"))
    # no header frame either that waits to be filled in
    assert any(stream[4:60])
    assert len(reader(stream * 2, "mp3")) == 2 * len(reader(stream, "mp3"))


@pytest.mark.parametrize(("rate", "kilobits"), [(24000, 80), (48000, 160)])
def test_mp3_has_a_constant_bit_rate(rate, kilobits):
    stream = b"".join(encode("mp3", [tone(5), np.zeros(120_000, np.float32)], rate))
    assert len(stream) * 8 / 1000 / 10 == pytest.approx(kilobits, rel=0.02)


@pytest.mark.parametrize("name", ["wav", "raw"])
def test_floats(tmp_path, name):
    loud = tone(1) * 4
    data = b"".join(encode(name, [loud], 24000, "float"))
    assert np.array_equal(np.frombuffer(data[-len(loud) * 4 :], "<f4"), loud)
    if name == "wav":
        assert np.array_equal(soundfile.read(io.BytesIO(data), dtype="float32")[0], loud)
    with open_file(tmp_path / f"a.{name}", subtype="float") as write:
        write(loud)
    assert (tmp_path / f"a.{name}").read_bytes()[-len(loud) * 4 :] == loud.tobytes()


@pytest.mark.parametrize("name", ["wav", "opus", "mp3"])
def test_resampling(name):
    data = b"".join(encode(name, np.array_split(tone(3), 5), 48000))
    samples, rate = soundfile.read(io.BytesIO(data))
    assert rate == 48000
    assert 3 <= len(samples) / rate < 3.1


def test_resampling_without_soxr_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingExtraError, match=r"pip install soxr"):
        Encoder("mp3", 48000)


@pytest.mark.parametrize("name", FORMATS)
def test_beyond_full_scale_is_clipped_not_wrapped_with_one_warning(tmp_path, caplog, name):
    loud = np.concatenate([tone(1), tone(1) * 4])
    with caplog.at_level(logging.WARNING, "kittentts"):
        samples = read(b"".join(encode(name, [loud, loud])), name)
        with open_file(tmp_path / f"a.{name}") as write:
            write(loud)
            write(loud)
    assert np.abs(samples).max() < 2
    clipped = np.clip(tone(1) * 4, -1, 1)
    assert np.mean(samples[26000:46000] ** 2) == pytest.approx(np.mean(clipped**2), rel=0.12)
    assert [record.getMessage().split("(")[1] for record in caplog.records] == ["peak 2.00) and were clipped to it"] * 2


def test_the_warning_tells_the_peak_of_the_whole_stream(caplog):
    encode("wav", [np.array([0.5, -3, 1, 3], np.float32), np.array([2, -1], np.float32)])
    message = "the wav stream: 3 samples were beyond full scale (peak 3.00) and were clipped to it"
    assert [record.getMessage() for record in caplog.records] == [message]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("aac",), "format='aac' is none that can be streamed; use one of wav, flac"),
        (("wave",), "format='wave'"),
        (("wav", 999), "sample_rate=999 is not a whole number of Hz from 1000 to 768000"),
        (("wav", 768_001), "sample_rate=768001 "),
        (("opus", 44100), "Opus takes 8000"),
        (("mp3", 96000), "mp3 cannot have 96000 Hz"),
        (("wav", 0), "sample_rate=0"),
        (("wav", 24000, "pcm24"), "subtype='pcm24' is neither of pcm16 and float"),
        (("flac", 24000, "float"), "subtype='float' is none of flac"),
        (("mp3", 24000, "pcm16"), "subtype='pcm16' is none of mp3"),
    ],
)
def test_what_is_not_possible_is_refused(options, message):
    with pytest.raises(SettingError, match=message):
        Encoder(*options)


def test_the_format_of_a_file_may_differ_from_its_suffix(tmp_path):
    with open_file(tmp_path / "a.bin", format="flac") as write:
        write(tone(1))
    assert soundfile.info(tmp_path / "a.bin").format == "FLAC"
    with (
        pytest.raises(SettingError, match="format='xyz' is no audio format"),
        open_file(tmp_path / "a.wav", format="xyz"),
    ):
        pass


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (np.zeros(10, np.int16), r"a waveform of int16, shape \(10,\), cannot be encoded; floats of shape \(n,\)"),
        (np.zeros((10, 2), np.float32), r"a waveform of float32, shape \(10, 2\)"),
        (np.float32(1), r"a waveform of float32, shape \(\)"),
        (None, r"a waveform of object, shape \(\)"),
    ],
)
def test_what_is_no_waveform_is_refused(waveform, message):
    encoder = Encoder("raw")
    with pytest.raises(SettingError, match=message):
        encoder.encode(waveform)
    # nothing of it is in the stream
    assert encoder.encode(tone(1)) + encoder.finish() == b"".join(encode("raw", [tone(1)]))


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
@pytest.mark.parametrize("rate", [24000, 48000])
def test_other_floats_are_encoded_alike(dtype, rate):
    waveform = (np.arange(-512, 512) / 1024).astype(np.float32)
    assert encode("raw", [waveform.astype(dtype)], rate) == encode("raw", [waveform], rate)


MEMORY = """
import resource, sys
import numpy as np
from kittentts.audio.files import open_file
name, folder = sys.argv[1:]
waveform = np.zeros(20 * 24000, np.float32)

def write(path, times):
    with open_file(path) as write:
        for _ in range(times):
            write(waveform)

write(f"{folder}/warm.{name}", 1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
write(f"{folder}/long.{name}", 10)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_memory_is_bounded(run_python, tmp_path, name):
    pytest.importorskip("resource")
    # kB; 200 s are 18,750 kB of floats, half of it of integers
    assert int(run_python(MEMORY, name, tmp_path).stdout) < 6000
    with soundfile.SoundFile(tmp_path / f"long.{name}", **(RAW if name == "raw" else {})) as file:
        assert file.frames / file.samplerate == pytest.approx(200, abs=0.2)


def test_a_finished_stream_takes_nothing_more():
    encoder = Encoder("WAV")
    encoder.finish()
    for call in (lambda: encoder.encode(tone(1)), encoder.finish):
        with pytest.raises(SettingError, match="the stream is finished"):
            call()
