"""Make docs/page.png: the server's page while the demo voice speaks.

pip install -e ".[demo,fast,server]" selenium, and Chromium with chromedriver: python docs/make_page_screenshot.py
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

TEXT = (
    "Once upon a time there was a kitten who wanted to be heard. It had no graphics card, no cloud, and only two small "
    "cores. But it had a voice, and it spoke faster than anybody could listen."
)
OPTIONS = "--headless=new --no-sandbox --disable-gpu --no-proxy-server --autoplay-policy=no-user-gesture-required"
PICTURE = Path(__file__).with_name("page.png")


def take(browser: webdriver.Chrome, url: str) -> None:
    """Speak the text, go to a word in the middle, and save the picture."""

    def wait(condition: str) -> None:
        WebDriverWait(browser, 120, 0.02).until(lambda _: browser.execute_script(f"return {condition}"))

    metrics = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(url)
    wait("voice.options.length > 0")
    typed = "text.value = arguments[0]; text.dispatchEvent(new Event('input', { bubbles: true }))"
    browser.execute_script(f"{typed}; form.requestSubmit()", TEXT)
    wait("!downloads.hidden")
    browser.execute_script("seek.value = 0.4 * seek.max; seek.dispatchEvent(new Event('input'))")
    wait("!audio.paused && document.querySelector('#spoken .now')")
    browser.save_screenshot(str(PICTURE))


def main() -> None:
    """Start the server and a browser, and end both."""
    command = [sys.executable, "-m", "kittentts", "serve", "-m", "demo", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            url = re.search(r"http://\S+", server.stderr.readline())[0]
            options = webdriver.ChromeOptions()
            for option in OPTIONS.split():
                options.add_argument(option)
            # found here, or Selenium would look for a download
            options.binary_location = shutil.which("chromium")
            with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"))) as browser:
                take(browser, url)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
