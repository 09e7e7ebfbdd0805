"""The page in a real Chromium: typed, spoken, heard, as a person would."""

import itertools

import pytest
import soundfile
import tiny_model
from speech_server import metric, running, wait_for

from kittentts import KittenTTS

pytestmark = pytest.mark.slow

TEXT = "The first sentence is here. The second one follows."


@pytest.fixture(scope="module")
def url(tiny):
    with running(tiny) as url:
        yield url


def seconds(model, voice="Leo", text=TEXT):
    return len(model.generate(text, voice, clean_text=True)) / 24000


class TestSpeaking:
    @pytest.mark.parametrize("name", ["wav", "pcm", "mp3", "opus", "flac"])
    def test_type_speak_hear(self, page, tiny, url, name):
        page.open(url).choose("voice", "Leo")
        page.choose("format", name)
        page.speak(TEXT)
        assert page.duration() == pytest.approx(seconds(tiny), abs=0.15)
        figures = page.find("figures").text
        assert f"{page.run('audio.duration'):.1f} s of audio in " in figures
        assert " times real time), first sound after " in figures
        assert page.find("download").get_attribute("download") == f"speech.{name}"
        assert not page.complaints()

    def test_what_is_asked_for(self, page, url):
        page.open(url).choose("voice", "Jasper")
        page.choose("format", "pcm")
        page.set("speed", 2)
        assert page.find("speed-value").text == "2.00×"
        page.speak(TEXT)
        page.has_all()
        assert page.run("bodies") == [
            {
                "input": TEXT, "voice": "Jasper", "speed": 2, "response_format": "pcm",
                "stream_format": "sse", "timings": True,
            }
        ]  # fmt: skip

    def test_no_gap_between_sentences(self, page, tiny, url):
        page.open(url).choose("voice", "Leo")
        page.speak(TEXT + " A third. And the last.")
        page.has_all()
        sounds = page.run("sounds.map(({ at, length, now }) => ({ at, length, now }))")
        assert len(sounds) == 4
        assert sounds[0]["at"] > sounds[0]["now"]
        for before, after in itertools.pairwise(sounds):
            assert after["at"] == pytest.approx(before["at"] + before["length"], abs=1e-9)
        length = seconds(tiny, text=TEXT + " A third. And the last.")
        assert sum(sound["length"] for sound in sounds) == pytest.approx(length, abs=1e-3)

    def test_a_sentence_that_comes_late(self, page, url, let_go):
        page.open(url).choose("voice", "Leo")
        page.speak("One. Two.")
        let_go()
        wait_for(lambda: page.run("sounds[0]?.context.currentTime > sounds[0]?.at + sounds[0]?.length"))
        let_go()
        page.has_all()
        assert page.run("sounds[1].at > sounds[1].now")
        page.message("Done.")

    def test_a_sentence_that_comes_just_in_time(self, page, url, let_go):
        page.open(url).choose("voice", "Leo")
        page.speak("One. Two.")
        let_go()
        wait_for(lambda: page.run("sounds.length") == 1)
        end = page.run("sounds[0].at + sounds[0].length")
        page.browser.execute_script(
            f"Object.defineProperty(sounds[0].context, 'currentTime', {{ value: {end - 0.01} }})"
        )
        let_go()
        wait_for(lambda: page.run("sounds.length") == 2)
        assert page.run("sounds[1].at") == pytest.approx(end, abs=1e-9)

    def test_done_when_it_has_been_heard(self, page, url, let_go):
        page.open(url).choose("voice", "Leo")
        page.speak(TEXT)
        page.message("Preparing")
        let_go()
        page.message("Speaking")
        assert " s of audio so far" in page.find("figures").text
        assert 0.4 < page.run("progress.value") < 0.6
        assert page.find("play").get_attribute("aria-label") == "Pause"
        page.find("play").click()
        assert page.find("play").get_attribute("aria-label") == "Play"
        let_go()
        page.has_all()
        assert page.find("message").text == "Paused."
        assert not page.find("progress").is_displayed()
        page.find("play").click()
        page.message("Done.")
        assert page.run("messages.slice(-3)") == ["Paused.", "Speaking …", "Done."]
        assert not page.find("stop").is_enabled()
        # once more, from the audio element
        page.set("seek", page.run("seek.max - .3"))
        page.find("play").click()
        wait_for(lambda: page.run("messages.slice(-3)") == ["Done.", "Speaking …", "Done."])

    def test_an_mp3_is_done_when_it_has_been_heard(self, page, url):
        page.open(url).choose("format", "mp3")
        page.speak("Hello.")
        page.message("Done.")
        assert page.run("messages.slice(-2)") == ["Speaking …", "Done."]
        assert page.run("audio.ended")

    @pytest.mark.parametrize("how", ["button", "key"])
    def test_stop(self, page, tmp_path, how):
        directory = tiny_model.make_directory(tmp_path, loops=10_000_000)
        with KittenTTS(directory) as model, running(model) as url:
            page.open(url).choose("voice", "Leo")
            page.speak(TEXT)
            wait_for(lambda: metric(url, "kittentts_busy_workers") == 1)
            page.stop(how)
            page.message("Stopped.")
            wait_for(lambda: metric(url, "kittentts_busy_workers") == 0)
            assert not page.find("stop").is_enabled()

    @pytest.mark.parametrize(("name", "how"), [("wav", "key"), ("mp3", "button")])
    def test_stop_what_sounds(self, page, url, name, how):
        page.open(url).choose("format", name)
        page.speak(TEXT * 20)
        page.has_all()
        page.message("Speaking")
        page.stop(how)
        page.message("Stopped.")
        assert page.run("audio.paused && sounds.every(({ context }) => context.state === 'closed')")
        assert not page.find("stop").is_enabled()
        # it can be heard again
        assert page.find("play").is_enabled()
        assert page.find("download").is_displayed()

    def test_speak_again_before_the_end(self, page, url, let_go):
        page.open(url).choose("voice", "Leo")
        page.speak("A text that nobody will hear. It is long.")
        let_go()
        page.message("Speaking")
        let_go(1000)
        page.speak("Hello.")
        page.message("Done.")
        assert page.find("spoken").text == "Hello."
        assert page.run("sounds[0].context.state") == "closed"

    def test_preview_of_a_voice(self, page, url):
        page.open(url).choose("voice", "Leo")
        page.speak("Hello.")
        page.message("Done.")
        page.choose("voice", "Bella")
        page.set("speed", 2)
        page.find("preview").click()
        page.message("This is Bella.")
        wait_for(lambda: not page.find("stop").is_enabled())
        body = page.run("bodies.at(-1)")
        assert body.pop("input")
        assert body == {"voice": "Bella", "speed": 2, "response_format": "pcm"}
        assert page.run("sounds.at(-1).length") > 0.1
        # what was spoken is still there
        assert page.find("downloads").is_displayed()
        assert page.find("spoken").text == "Hello."


class TestPlayer:
    def test_the_word_that_sounds_is_marked(self, page, tiny, url):
        page.open(url).choose("voice", "Leo")
        text = "Hello, dear friend 😀! It costs $5 today."
        page.run(f"(text.value = {text!r}, form.requestSubmit())")
        page.has_all()
        words = [word for chunk in tiny.synthesize(text, "Leo", clean_text=True).chunks for word in chunk.words]
        assert page.find("spoken").get_attribute("textContent") == text
        assert page.run("[...spoken.children].map((mark) => mark.textContent)") == [word.text for word in words]
        page.pause()
        for word in words:
            page.set("seek", (word.start + word.end) / 2)
            wait_for(lambda word=word: page.marked() == [word.text])
        page.set("seek", 0)
        wait_for(lambda: page.marked() == [])
        # of its own accord, while the sound plays
        page.find("play").click()
        wait_for(lambda: len(page.marked()) == 1)
        assert not page.complaints()

    def test_a_number_of_several_chunks_is_shown_once(self, page, url):
        page.open(url).choose("voice", "Leo")
        text = "It is " + "123456789 " * 12 + "now."
        page.speak(text)
        page.has_all()
        assert page.find("spoken").get_attribute("textContent") == text

    def test_the_playhead(self, page, url):
        from selenium.webdriver.common.keys import Keys

        page.open(url).choose("voice", "Leo")
        page.speak(TEXT)
        page.has_all()
        page.pause()
        # a click in the middle of the waveform
        page.find("seek").click()
        length = page.run("audio.duration")
        wait_for(lambda: page.run("audio.currentTime") == pytest.approx(length / 2, abs=0.02))
        # columns of the canvas that have a colour, as parts of its width
        columns = """((colour) => {
            const copy = new OffscreenCanvas(wave.width, wave.height).getContext("2d", { willReadFrequently: true });
            copy.fillStyle = getComputedStyle(wave).getPropertyValue(colour);
            copy.fillRect(0, 0, 1, 1);
            const wanted = copy.getImageData(0, 0, 1, 1).data.join();
            copy.clearRect(0, 0, 1, 1);
            copy.drawImage(wave, 0, 0);
            const { data } = copy.getImageData(0, 0, wave.width, wave.height);
            const found = [];
            for (let i = 0; i < data.length; i += 4)
                if (data.slice(i, i + 4).join() === wanted) found.push(((i / 4) % wave.width) / wave.width);
            return [Math.min(...found), Math.max(...found)];
        })"""
        assert page.run(columns + "('--accent')") == pytest.approx([0, 0.5], abs=0.02)
        assert page.run(columns + "('--bar')") == pytest.approx([0.5, 1], abs=0.02)
        page.find("seek").send_keys(Keys.HOME)
        wait_for(lambda: page.run("audio.currentTime") == 0)
        assert page.find("time").text == f"0:00 / 0:0{int(length)}"

    def test_downloads(self, page, tiny, url, tmp_path):
        behavior = {"behavior": "allow", "downloadPath": str(tmp_path)}
        page.browser.execute_cdp_cmd("Page.setDownloadBehavior", behavior)
        page.open(url).choose("voice", "Leo")
        page.speak(TEXT)
        page.has_all()
        for name in ("download", "srt", "vtt"):
            page.find(name).click()
        files = {suffix: tmp_path / f"speech.{suffix}" for suffix in ("wav", "srt", "vtt")}
        wait_for(lambda: all(file.exists() and file.stat().st_size for file in files.values()))
        speech = tiny.synthesize(TEXT, "Leo", clean_text=True)
        assert files["srt"].read_text(encoding="utf-8") == speech.to_srt()
        assert files["vtt"].read_text(encoding="utf-8") == speech.to_vtt()
        samples, rate = soundfile.read(files["wav"], dtype="float32")
        assert rate == 24_000
        assert samples == pytest.approx(speech.audio.clip(-1, 1), abs=1e-4)
