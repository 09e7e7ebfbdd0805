"""The page in a real Chromium: typed, spoken, heard, as a person would."""

import shutil
import subprocess

import pytest
import tiny_model
from speech_server import metric, running, wait_for

from kittentts import KittenTTS

chromium = shutil.which("chromium")
driver = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (chromium and driver), reason="chromium or chromedriver (Debian: chromium, chromium-driver) is not installed"
)

TEXT = "The first sentence is here. The second one follows."
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --no-proxy-server "
    "--autoplay-policy=no-user-gesture-required"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in OPTIONS.split():
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(driver, log_output=subprocess.DEVNULL)
    browser = webdriver.Chrome(options, service)
    yield browser
    browser.quit()


@pytest.fixture
def page(browser):
    return Page(browser)


class Page:
    def __init__(self, browser):
        self.browser = browser

    def open(self, url):
        self.browser.get(url)
        return self

    def find(self, name):
        return self.browser.find_element("id", name)

    def run(self, code):
        return self.browser.execute_script(f"return {code}")

    def fill(self, name, text):
        self.find(name).clear()
        self.find(name).send_keys(text)

    def choose(self, name, value):
        wait_for(lambda: self.run(f"[...{name}.options].some(option => option.value === '{value}')"))
        self.find(name).send_keys(value)

    def speak(self, text):
        self.fill("text", text)
        self.find("speak").click()

    def message(self, beginning):
        wait_for(lambda: self.find("message").text.startswith(beginning), 20)

    def duration(self):
        self.message("Done.")
        wait_for(lambda: self.run("audio.readyState") > 0)
        return self.run("audio.duration")

    def complaints(self):
        """What the console says, other than that a request failed."""
        return [entry for entry in self.browser.get_log("browser") if entry["source"] != "network"]


def seconds(model, voice):
    return len(model.generate(TEXT, voice, clean_text=True)) / 24000


@pytest.mark.parametrize("name", ["wav", "pcm", "mp3", "opus", "flac"])
def test_type_speak_hear(page, tiny, name):
    with running(tiny) as url:
        page.open(url).choose("voice", "Leo")
        page.choose("format", name)
        page.speak(TEXT)
        assert page.duration() == pytest.approx(seconds(tiny, "Leo"), abs=0.15)
        assert f"{seconds(tiny, 'Leo'):.0f}" in page.find("figures").text
        assert "times real time" in page.find("figures").text
        assert "first sound after" in page.find("figures").text
        link = page.find("download")
        assert link.get_attribute("download") == f"speech.{name}"
        # the waveform is drawn
        assert page.run("wave.getContext('2d').getImageData(0, 0, 800, 120).data.filter(Boolean).length") > 10_000
        assert not page.complaints()


def test_the_word_that_sounds_is_marked(page, tiny):
    with running(tiny) as url:
        page.open(url).choose("voice", "Leo")
        text = "Hello, dear friend 😀! It costs $5 today."
        page.run(f"(text.value = {text!r}, form.requestSubmit())")
        page.message("Done.")
        words = [word for chunk in tiny.synthesize(text, "Leo", clean_text=True).chunks for word in chunk.words]
        assert page.find("spoken").get_attribute("textContent") == text
        assert page.run("[...spoken.children].map((mark) => mark.textContent)") == [word.text for word in words]
        # in one statement, for the sound may go on
        marked = "[...spoken.querySelectorAll('.now')].map((mark) => mark.textContent)"
        for word in words:
            assert page.run(f"(reader.show({(word.start + word.end) / 2}), {marked})") == [word.text]
        assert page.run(f"(reader.show(-1), {marked})") == []
        # of its own accord, while the sound plays
        page.run("(audio.currentTime = 0, audio.play())")
        wait_for(lambda: page.run("spoken.querySelectorAll('.now').length") == 1)
        assert not page.complaints()


def test_a_number_of_several_chunks_is_shown_once(page, tiny):
    with running(tiny) as url:
        page.open(url).choose("voice", "Leo")
        text = "It is " + "123456789 " * 12 + "now."
        page.speak(text)
        page.message("Done.")
        assert page.find("spoken").get_attribute("textContent") == text


def test_voice_speed_and_format_are_asked_for(page, tiny):
    with running(tiny) as url:
        page.open(url).choose("voice", "Jasper")
        page.choose("format", "pcm")
        page.run("(speed.value = 2, speed.dispatchEvent(new Event('input')))")
        assert page.find("speed-value").text == "2.00"
        page.browser.execute_script("""
            const really = fetch;
            window.bodies = [];
            window.fetch = (path, options) => { bodies.push(options.body); return really(path, options); };
        """)
        page.speak(TEXT)
        page.message("Done.")
        (body,) = page.run("bodies.map((body) => JSON.parse(body))")
        expected = {"input": TEXT, "voice": "Jasper", "speed": 2, "response_format": "pcm"}
        assert {name: body[name] for name in expected} == expected


@pytest.mark.parametrize("how", ["button", "key"])
def test_stop(page, tmp_path, how):
    from selenium.webdriver.common.keys import Keys

    directory = tiny_model.make_directory(tmp_path, loops=10_000_000)
    with KittenTTS(directory) as model, running(model) as url:
        page.open(url).choose("voice", "Leo")
        page.speak(TEXT)
        wait_for(lambda: metric(url, "kittentts_busy_workers") == 1)
        if how == "button":
            page.find("stop").click()
        else:
            page.find("text").send_keys(Keys.ESCAPE)
        page.message("Stopped.")
        wait_for(lambda: metric(url, "kittentts_busy_workers") == 0)
        assert page.find("speak").is_enabled()
        assert not page.find("stop").is_enabled()


def test_the_model_fails_in_the_middle(page, failing):
    with running(failing) as url:
        page.open(url).choose("voice", "Leo")
        page.speak("Hello there. " * 60 + "Roses.")
        page.message("the model failed to speak this input")
        assert page.find("message").get_attribute("class") == "wrong"


def test_the_connection_breaks_off(page, tmp_path):
    # about a fiftieth of a second for each chunk
    directory = tiny_model.make_directory(tmp_path, loops=40)
    with KittenTTS(directory, max_workers=1) as model, running(model) as url:
        page.open(url).choose("voice", "Leo")
        page.speak("This is one of many sentences. " * 130)
        wait_for(lambda: "s of sound so far" in page.find("message").text)
        url.loop.call_soon_threadsafe(lambda: [each.drop() for each in list(url.server.server_state.connections)])
        page.message("The connection broke off in the middle.")
        assert page.find("message").get_attribute("class") == "wrong"


def test_keys_only(page, tiny):
    from selenium.webdriver.common.keys import Keys

    with running(tiny) as url:
        page.open(url).choose("voice", "Leo")
        page.fill("text", TEXT)
        page.find("text").send_keys(Keys.CONTROL, Keys.ENTER)
        assert page.duration() > 0
        names = []
        page.run("text.focus()")
        for _ in range(6):
            page.browser.switch_to.active_element.send_keys(Keys.TAB)
            names.append(page.browser.switch_to.active_element.get_attribute("id"))
        assert names[:5] == ["voice", "speed", "format", "key", "speak"]


def test_a_wrong_key_and_then_the_right_one(page, tiny):
    with running(tiny, api_key="right") as url:
        page.open(url).message("an API key is needed")
        page.fill("key", "wrong")
        page.find("text").click()
        page.message("wrong API key")
        page.fill("key", "right")
        page.find("text").click()
        page.choose("voice", "Leo")
        page.speak(TEXT)
        assert page.duration() == pytest.approx(seconds(tiny, "Leo"), abs=0.01)


def test_a_server_that_is_gone(page, tiny):
    with running(tiny) as url:
        page.open(url).choose("voice", "Leo")
    page.speak(TEXT)
    page.message("The server cannot be reached.")
    assert page.find("speak").is_enabled()
    assert page.find("message").get_attribute("class") == "wrong"


def test_a_text_that_cannot_be_spoken(page, tiny):
    with running(tiny) as url:
        page.open(url).choose("voice", "Leo")
        page.speak("...")
        page.message("'...' has no word, number or symbol")


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(page, tiny, width):
    with running(tiny) as url:
        page.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False},
        )
        try:
            page.open(url).choose("voice", "Leo")
            page.speak(TEXT)
            page.message("Done.")
            assert page.run("document.documentElement.scrollWidth") <= width
        finally:
            page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
