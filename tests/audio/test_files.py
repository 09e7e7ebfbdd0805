"""Waveform -> file."""

import errno
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from kittentts.audio.encoder import Encoder
from kittentts.audio.files import UNFINISHED, open_file
from kittentts.audio.formats import FORMATS
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
    seconds = 95 if suffix == "ogg" else 12
    write(tmp_path / f"a.{suffix}", tone(seconds))
    samples, rate = soundfile.read(tmp_path / f"a.{suffix}")
    assert rate == 24000
    assert abs(len(samples) / rate - seconds) < 0.2
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize(("name", "header"), [("a.raw", 0), ("a.wav", 44)])
def test_a_file_has_no_byte_too_many(tmp_path, name, header):
    write(tmp_path / name, tone(1))
    assert (tmp_path / name).stat().st_size == header + 48000


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
    with pytest.raises(MissingExtraError, match=r"pip install soxr"):
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
def test_links_are_written_not_replaced(tmp_path):
    (tmp_path / "link.wav").symlink_to(tmp_path / "real.wav")
    write(tmp_path / "link.wav", tone(1))
    assert (tmp_path / "link.wav").is_symlink()
    assert soundfile.info(tmp_path / "real.wav").frames == 24000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this platform")
@pytest.mark.parametrize("name", FORMATS)
def test_a_pipe_gets_a_stream(tmp_path, name):
    pipe = tmp_path / f"pipe.{name}"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        received = pool.submit(pipe.read_bytes)
        write(pipe, tone(1))
    encoder = Encoder(name)
    expected = encoder.encode(tone(1)) + encoder.finish()
    # Ogg streams have a random number
    assert received.result() == expected if name not in ("ogg", "opus") else len(received.result()) == len(expected)
    assert pipe.is_fifo()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this platform")
def test_a_pipe_whose_reader_leaves(tmp_path):
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: pipe.open("rb").close())
        with pytest.raises(BrokenPipeError, match=r"pipe\.wav"):
            write(pipe, tone(60))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this platform")
def test_a_format_that_needs_its_length_first_cannot_go_into_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.aiff")
    with pytest.raises(SettingError, match="format='aiff' is none that can be streamed; use one of wav"):
        write(tmp_path / "pipe.aiff", tone(1))


FULL_DISK = """
import os, resource, signal, sys
import numpy as np
from kittentts.audio.files import open_file
waveform = (0.1 * np.random.default_rng(0).standard_normal(3 * 24000)).astype(np.float32)
with open_file(sys.argv[1] + "/whole." + sys.argv[2]) as write:
    write(waveform)
size = os.path.getsize(sys.argv[1] + "/whole." + sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
# where just the last byte does not fit, libsndfile itself says so of wav and raw only
for missing in (1, size // 2, size - 10):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - missing, size - missing))
    try:
        with open_file(sys.argv[1] + "/a." + sys.argv[2]) as write:
            write(waveform)
    except OSError as error:
        print(error)
"""


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_is_an_error_that_names_file_and_reason_and_leaves_nothing(run_python, tmp_path, name):
    pytest.importorskip("resource")
    folder = tmp_path / "full"
    folder.mkdir()
    result = run_python(FULL_DISK, folder, name)
    assert result.stdout == f"[Errno 27] File too large: '{folder}/a.{name}'\n" * 3
    assert result.stderr == ""
    assert [path.name for path in folder.iterdir()] == [f"whole.{name}"]


def test_a_full_disk_ends_a_long_text_at_once(run_python, tmp_path):
    pytest.importorskip("resource")
    code = """
import resource, signal, sys
import numpy as np
from kittentts.audio.files import open_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with open_file(sys.argv[1]) as write:
        for second in range(10):
            write(np.zeros(24_000, np.float32))
except OSError:
    print(second)
"""
    # 48,000 bytes a second
    # a block early at most, for the next one must fit, too
    assert int(run_python(code, tmp_path / "a.wav").stdout) in {1, 2}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this platform")
def test_no_interrupt_is_lost_while_a_file_is_written(run_python, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    code = """
import os, random, signal, sys
import numpy as np
from kittentts.audio.files import open_file
raised = caught = 0

class Interrupt(Exception):
    pass

def interrupt(_, frame):
    global raised
    while frame:
        if frame.f_code.co_name == "__del__":
            # Python ignores whatever a destructor raises, soundfile's here
            signal.setitimer(signal.ITIMER_REAL, 1e-4)
            return
        frame = frame.f_back
    raised += 1
    raise Interrupt

signal.signal(signal.SIGALRM, interrupt)
waveform = np.zeros(500, np.float32)
# import what it needs
with open_file(os.devnull, format="wav"), open_file(sys.argv[1] + "/first.wav"):
    pass
random.seed(1)
for i in range(200):
    path = f"{sys.argv[1]}/{i}.wav"
    before = raised
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 2e-3))
        with open_file(path) as write:
            while raised == before:
                write(waveform)
    except Interrupt:
        caught += 1
assert raised == caught == 200, (raised, caught)
"""
    assert run_python(code, folder).stderr == ""
    assert [path.name for path in folder.iterdir()] == ["first.wav"]


ENDS = {
    "daemon": "threading.Thread(target=work, daemon=True).start(); written.wait()",
    "SIGHUP": "threading.Thread(target=kill, args=(signal.SIGHUP,)).start(); work()",
    "SIGQUIT": "threading.Thread(target=kill, args=(signal.SIGQUIT,)).start(); work()",
    "SIGTERM": "threading.Thread(target=kill, args=(signal.SIGTERM,)).start(); work()",
    "SIGKILL": "threading.Thread(target=kill, args=(signal.SIGKILL,)).start(); work()",
}


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux's")
@pytest.mark.parametrize("end", ENDS)
def test_however_the_process_ends_no_hidden_file_stays(run_python, tmp_path, end):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.wav").write_bytes(b"old")
    code = """
import os, resource, signal, sys, threading
import numpy
from kittentts.audio.files import open_file
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
# a shell that starts the tests in the background ignores it
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
written = threading.Event()

def kill(number):
    written.wait()
    os.kill(os.getpid(), number)

def work():
    with open_file(sys.argv[1]) as write:
        write(numpy.zeros(100_000, numpy.float32))
        written.set()
        threading.Event().wait()
"""
    result = run_python(code + ENDS[end], folder / "a.wav", check=False)
    assert result.returncode == (0 if end == "daemon" else -getattr(signal, end)), result.stderr
    assert [path.name for path in folder.iterdir()] == ["a.wav"]
    assert (folder / "a.wav").read_bytes() == b"old"


class TestWithoutUnnamedFiles:
    """What happens on other systems, and on file systems and in sandboxes that cannot do it."""

    @pytest.fixture(params=["open", "link"])
    def refused(self, monkeypatch, request):
        original = os.open

        def refuse(path, flags=0, *_, **__):
            if request.param == "link" or flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "no")
            return original(path, flags, *_, **__)

        if hasattr(os, "O_TMPFILE"):
            monkeypatch.setattr(os, request.param, refuse)
        return request.param

    @pytest.mark.usefixtures("refused")
    def test_a_file_is_written_as_a_whole(self, tmp_path):
        write(tmp_path / "a.wav", tone(1))
        write(tmp_path / "a.wav", tone(2))
        assert soundfile.info(tmp_path / "a.wav").frames == 48000
        assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]

    def test_a_failure_leaves_nothing(self, tmp_path, refused):
        def fail():
            with open_file(tmp_path / "a.wav") as write:
                write(tone(2))
                names = [path.name for path in tmp_path.iterdir()]
                assert [bool(UNFINISHED.fullmatch(name)) for name in names] == [True] * (refused == "open")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert list(tmp_path.iterdir()) == []


def test_a_new_file_has_the_permissions_of_one(tmp_path):
    (tmp_path / "b").touch()
    write(tmp_path / "a.wav", tone(1))
    assert (tmp_path / "a.wav").stat().st_mode == (tmp_path / "b").stat().st_mode
