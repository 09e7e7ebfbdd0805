"""The page's form, its errors and its looks, in a real Chromium.

Screenshots are in the directory that KITTENTTS_SCREENSHOTS names, or in pytest's temporary one. KITTENTTS_AXE is the
path of axe-core's `axe.min.js` (npm), which looks for what keeps people out.
"""

import importlib.util
import os
from pathlib import Path

import pytest
from browser_page import WINDOWS
from speech_server import running, wait_for

pytestmark = pytest.mark.slow

TEXT = "The first sentence is here. The second one follows."


@pytest.fixture(scope="module")
def url(tiny):
    with running(tiny) as url:
        yield url


class TestForm:
    def test_what_the_server_offers(self, page, tiny, monkeypatch):
        really = importlib.util.find_spec
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "av" else really(name))
        with running(tiny, speech={"voice": "Jasper", "speed": 1.5}) as url:
            page.open(url).message("Ready.")
            assert page.run("[...format.options].map(({ value }) => value)") == ["wav", "mp3", "opus", "flac", "pcm"]
            assert page.run("[format.value, voice.value, speed.value]") == ["wav", "Jasper", "1.5"]
            assert page.find("model").text == "tiny"
            assert not page.find("key").is_displayed()

    def test_a_reload_loses_nothing(self, page, url):
        page.open(url).choose("voice", "Jasper")
        page.choose("format", "flac")
        page.set("speed", 0.75)
        page.fill("text", TEXT)
        page.open(url).message("Ready.")
        assert page.run("[text.value, voice.value, format.value, speed.value]") == [TEXT, "Jasper", "flac", "0.75"]
        assert page.find("speed-value").text == "0.75×"

    def test_characters_are_counted(self, page, tiny):
        with running(tiny, max_chars=12) as url:
            page.open(url).message("Ready.")
            page.run("(text.value = 'Hi there 😀😀😀', text.dispatchEvent(new Event('input', { bubbles: true })))")
            assert page.find("count").text == "12 of 12 characters"
            assert page.find("count").get_attribute("class") == ""
            page.find("text").send_keys("!!")
            assert page.find("count").text == "14 of 12 characters"
            assert page.find("count").get_attribute("class") == "wrong"
            assert "2 characters too long" in page.run("text.validationMessage")
            page.find("speak").click()
            assert page.run("bodies") == []
            page.find("text").send_keys("\b\b")
            page.find("speak").click()
            page.has_all()

    def test_a_wrong_key_and_then_the_right_one(self, page, tiny):
        with running(tiny, api_key="schlüssel") as url:
            page.open(url).message("This server needs an API key.")
            assert page.browser.switch_to.active_element.get_attribute("id") == "key"
            page.fill("key", "wrong")
            page.find("text").click()
            page.message("The server does not take this API key.")
            assert page.is_wrong()
            page.fill("key", "schlüssel")
            page.find("text").click()
            page.message("Ready.")
            page.open(url).choose("voice", "Leo")
            page.speak(TEXT)
            page.has_all()

    def test_keys_only(self, page, url):
        from selenium.webdriver.common.keys import Keys

        page.open(url).choose("voice", "Leo")
        page.fill("text", TEXT)
        page.find("text").send_keys(Keys.CONTROL, Keys.ENTER)
        page.has_all()
        page.find("text").send_keys(Keys.ESCAPE)
        names = []
        for _ in range(10):
            page.browser.switch_to.active_element.send_keys(Keys.TAB)
            names.append(page.browser.switch_to.active_element.get_attribute("id"))
        assert names == ["voice", "preview", "speed", "format", "speak", "play", "seek", "download", "srt", "vtt"]


class TestFailures:
    def test_the_model_fails_in_the_middle(self, page, failing):
        with running(failing) as url:
            page.open(url).choose("voice", "Leo")
            page.speak("Hello there. " * 10 + "Roses.")
            page.message("the model failed to speak this input")
            assert page.is_wrong()
            assert not page.find("stop").is_enabled()
            assert not page.find("play").is_enabled()

    def test_the_connection_breaks_off(self, page, url, let_go):
        page.open(url).choose("voice", "Leo")
        page.speak(TEXT)
        let_go()
        page.message("Speaking")
        url.loop.call_soon_threadsafe(lambda: [each.drop() for each in list(url.server.server_state.connections)])
        page.message("The connection broke off in the middle.")
        assert page.is_wrong()
        assert not page.find("stop").is_enabled()
        assert page.run("sounds[0].context.state") == "closed"

    def test_an_answer_that_ends_too_early(self, page, url):
        page.open(url).choose("voice", "Leo")
        page.browser.execute_script("""window.fetch = async () => new Response('data: {"type": "else"}\\n\\n')""")
        page.speak(TEXT)
        page.message("The connection broke off in the middle.")

    def test_a_format_that_the_browser_lacks(self, page, url):
        page.open(url).choose("format", "mp3")
        page.run("OfflineAudioContext.prototype.decodeAudioData = () => Promise.reject(new Error('unknown'))")
        page.speak(TEXT)
        page.message("This browser cannot play mp3, but you can download it.")
        page.find("preview").click()
        page.message("This is ")
        assert page.find("download").is_displayed()
        assert not page.find("play").is_enabled()

    def test_a_server_that_is_gone(self, page, tiny):
        with running(tiny) as url:
            page.open(url).choose("voice", "Leo")
        page.speak(TEXT)
        page.message("The server cannot be reached.")
        assert page.is_wrong()

    def test_a_text_that_cannot_be_spoken(self, page, url):
        page.open(url).choose("voice", "Leo")
        page.speak("...")
        page.message("'...' has no word, number or symbol")


class TestLooks:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", WINDOWS)
    def test_all_is_seen_without_scrolling(self, page, url, size, scheme, tmp_path):
        width, height = WINDOWS[size]
        folder = Path(os.environ.get("KITTENTTS_SCREENSHOTS", tmp_path))
        folder.mkdir(parents=True, exist_ok=True)
        with page.window(WINDOWS[size], scheme):
            page.open(url).choose("voice", "Leo")
            page.speak(TEXT)
            page.has_all()
            page.pause()
            page.set("seek", page.duration() / 3)
            wait_for(page.marked)
            page.browser.save_screenshot(str(folder / f"page-{size}-{scheme}.png"))
            assert page.run("document.documentElement.scrollWidth") <= width
            for name in ("speak", "play", "wave", "figures", "downloads"):
                assert page.run(f"{name}.getBoundingClientRect().bottom") <= height, name
                assert page.run(f"{name}.getBoundingClientRect().right") <= width, name
            assert not page.complaints()

    @pytest.mark.parametrize(("size", "scheme"), [("wide", "light"), ("narrow", "dark")])
    def test_nobody_is_kept_out(self, page, tiny, url, size, scheme):
        axe = os.environ.get("KITTENTTS_AXE")
        if not axe:
            pytest.skip("KITTENTTS_AXE is not set: npm install axe-core, and give the path of its axe.min.js")
        with page.window(WINDOWS[size], scheme), running(tiny, api_key="needed", max_chars=5) as locked_url:
            page.open(url).choose("voice", "Leo")
            page.speak(TEXT)
            page.has_all()
            violations(page, axe)
            page.open(locked_url).message("This server needs")
            page.fill("key", "wrong")
            page.find("text").click()
            page.message("The server does not take")
            violations(page, axe)


def violations(page, axe):
    page.browser.execute_script(Path(axe).read_text(encoding="utf-8"))
    found = page.browser.execute_async_script("axe.run().then(arguments[0])")
    assert len(found["passes"]) > 10
    assert [(rule["id"], node["html"]) for rule in found["violations"] for node in rule["nodes"]] == []
