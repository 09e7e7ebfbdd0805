"""Waveform -> file."""

import os
import sys
import threading

import numpy as np
import pytest
import soundfile

from kittentts.audio.files import open_file
from kittentts.audio.waveform import mono_audio_array, silence, trim_tail
from kittentts.errors import MissingExtraError, SettingError


def tone(seconds, frequency=440.0):
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * 24000)) / 24000)).astype(np.float32)


def write(path, waveform, rate=24000):
    with open_file(path, rate) as write:
        write(waveform)


@pytest.mark.parametrize("shape", [(6,), (1, 6), (6, 1), (1, 1, 6)])
def test_mono_audio_array(shape):
    samples = mono_audio_array(np.arange(6.0).reshape(shape))
    assert samples.dtype == np.float32
    assert samples.tolist() == [0, 1, 2, 3, 4, 5]


def test_stereo_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) is not mono"):
        mono_audio_array(np.zeros((2, 3)))


def test_trim_tail():
    assert len(trim_tail(np.zeros(12000, np.float32))) == 7000
    assert len(trim_tail(np.zeros(5001, np.float32))) == 1
    assert len(trim_tail(np.zeros(5000, np.float32))) == 5000


def test_silence():
    assert silence(0.5).shape == (12000,)
    assert silence(0.5).dtype == np.float32


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "oga", "opus", "mp3", "aiff", "WAV"])
def test_formats_keep_length_and_level(tmp_path, suffix):
    # longer than one block; a single write of 90 s of Vorbis crashes libsndfile
    write(tmp_path / f"a.{suffix}", tone(95))
    samples, rate = soundfile.read(tmp_path / f"a.{suffix}")
    assert rate == 24000
    assert abs(len(samples) / rate - 95) < 0.2
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_parts_make_one_file(tmp_path):
    whole = tone(2)
    with open_file(tmp_path / "a.wav") as write:
        write(whole[:1000])
        write(whole[1000:])
    assert np.allclose(soundfile.read(tmp_path / "a.wav")[0], whole, atol=1 / 32000)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_resampling_keeps_length_and_pitch(tmp_path, rate):
    with open_file(tmp_path / "a.wav", rate) as write:
        for part in np.array_split(tone(3, 1000.0), 7):
            write(part)
    samples, found = soundfile.read(tmp_path / "a.wav")
    assert found == rate
    assert abs(len(samples) - 3 * rate) <= 1
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert np.argmax(spectrum) * rate / len(samples) == pytest.approx(1000, abs=1)


def test_resampling_without_soxr_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingExtraError, match=r'pip install "kittentts\[audio\]"'):
        write(tmp_path / "a.wav", tone(1), 8000)


def test_beyond_full_scale_is_clipped_not_wrapped(tmp_path):
    write(tmp_path / "a.wav", np.array([2.0, -2.0], np.float32))
    assert soundfile.read(tmp_path / "a.wav")[0].tolist() == pytest.approx([1, -1], abs=1e-4)


@pytest.mark.parametrize("name", ["a", "a.xyz", ".wav"])
def test_unknown_formats_are_refused(tmp_path, name):
    with pytest.raises(SettingError, match=r"names no audio format"):
        write(tmp_path / name, tone(1))


@pytest.mark.parametrize("rate", [0, -1, 24000.0, "24000", True])
def test_sample_rate_is_checked(tmp_path, rate):
    with pytest.raises(SettingError, match="sample_rate="):
        write(tmp_path / "a.wav", tone(1), rate)


def test_opus_takes_its_own_rates_only(tmp_path):
    with pytest.raises(SettingError, match="Opus takes 8000"):
        write(tmp_path / "a.opus", tone(1), 44100)


@pytest.mark.parametrize(("name", "rate"), [("a.mp3", 96000), ("a.flac", 1_000_000), ("a.wav", 10**12)])
def test_rates_that_a_format_does_not_take(tmp_path, name, rate):
    with pytest.raises(SettingError, match=str(rate)):
        write(tmp_path / name, tone(0.1), rate)
    assert list(tmp_path.iterdir()) == []


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-such-folder"):
        write(tmp_path / "no-such-folder" / "a.wav", tone(1))


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(IsADirectoryError, match=r"a\.wav"):
        write(tmp_path / "a.wav", tone(1))


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    write(tmp_path / "a.wav", tone(1))
    before = (tmp_path / "a.wav").read_bytes()

    def fail():
        with open_file(tmp_path / "a.wav") as write:
            write(tone(2))
            assert (tmp_path / "a.wav").read_bytes() == before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (tmp_path / "a.wav").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this platform")
def test_devices_and_links_are_written_not_replaced(tmp_path):
    (tmp_path / "link.wav").symlink_to(tmp_path / "real.wav")
    write(tmp_path / "link.wav", tone(1))
    assert (tmp_path / "link.wav").is_symlink()
    assert soundfile.info(tmp_path / "real.wav").frames == 24000

    os.mkfifo(tmp_path / "pipe.au")
    received = []
    reader = threading.Thread(target=lambda: received.append((tmp_path / "pipe.au").read_bytes()))
    reader.start()
    write(tmp_path / "pipe.au", tone(1))
    reader.join()
    assert received[0].startswith(b".snd")
    assert (tmp_path / "pipe.au").is_fifo()


def test_a_full_disk_is_an_oserror_and_leaves_nothing(run_python, tmp_path):
    pytest.importorskip("resource")
    code = """
import resource, signal, sys, numpy
from kittentts.audio.files import open_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with open_file(sys.argv[1]) as write:
        write(numpy.zeros(240_000, numpy.float32))
except OSError as error:
    print(error)
"""
    folder = tmp_path / "full"
    folder.mkdir()
    assert "a.wav" in run_python(code, folder / "a.wav").stdout
    assert list(folder.iterdir()) == []
