"""The server's page in a real Chromium."""

import contextlib
import shutil
import subprocess

from speech_server import wait_for

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --no-proxy-server "
    "--autoplay-policy=no-user-gesture-required"
)
WINDOWS = {"wide": (1280, 800), "narrow": (390, 844)}
# what is sent, which sounds begin when, and what is said
RECORDING = """
    window.bodies = [];
    window.sounds = [];
    window.messages = [];
    const observer = new MutationObserver(() => messages.push(message.textContent));
    observer.observe(message, { childList: true });
    const reallyFetch = fetch;
    window.fetch = (path, options) => {
      if (options.body) bodies.push(JSON.parse(options.body));
      return reallyFetch(path, options);
    };
    const reallyStart = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (at) {
      sounds.push({ at, length: this.buffer.duration, context: this.context, now: this.context.currentTime });
      reallyStart.call(this, at);
    };
"""


def open_browser(profile):
    """Return Chromium; the folder is for what it writes."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in OPTIONS.split():
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(DRIVER, log_output=subprocess.DEVNULL))


class Page:
    def __init__(self, browser):
        self.browser = browser

    def open(self, url):
        self.browser.get(url)
        self.browser.execute_script(RECORDING)
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

    def set(self, name, value):
        """Move a slider."""
        self.run(f"({name}.value = {value}, {name}.dispatchEvent(new Event('input', {{ bubbles: true }})))")

    def speak(self, text):
        self.fill("text", text)
        self.find("speak").click()

    def message(self, beginning):
        wait_for(lambda: self.find("message").text.startswith(beginning), 20)

    def stop(self, how):
        from selenium.webdriver.common.keys import Keys

        if how == "button":
            self.find("stop").click()
        else:
            self.find("text").send_keys(Keys.ESCAPE)

    def pause(self):
        """In one statement, for the sound may end at any time."""
        self.browser.execute_script("if (play.classList.contains('sounds')) play.click()")

    def is_wrong(self):
        return self.find("message").get_attribute("class") == "wrong"

    def has_all(self):
        """Wait until all of the speech has come, although it may still sound."""
        wait_for(lambda: self.find("downloads").is_displayed(), 20)

    def duration(self):
        self.has_all()
        wait_for(lambda: self.run("audio.readyState") > 0)
        return self.run("audio.duration")

    def marked(self):
        return self.run("[...spoken.querySelectorAll('.now')].map((mark) => mark.textContent)")

    def complaints(self):
        """What the console says, other than that a request failed."""
        return [entry for entry in self.browser.get_log("browser") if entry["source"] != "network"]

    @contextlib.contextmanager
    def window(self, size, scheme="light"):
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        yield
        self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
