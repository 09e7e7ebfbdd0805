"""Web pages of other sites, which a browser lets send requests to this machine, and clients under unknown names."""

import pytest
from speech_server import CLIENT, SPEECH, connect, running, speak

from kittentts.server.web_page import PAGE_PATHS


@pytest.fixture(scope="module")
def url(tiny):
    with running(tiny) as url:
        yield url


def status(url, path="/v1/audio/voices", **headers):
    return CLIENT.get(url + path, headers=headers).status_code


class TestHost:
    @pytest.mark.parametrize(
        "host",
        [
            "localhost", "LocalHost:8880", "localhost.", "127.0.0.1", "127.0.0.1:8880", "127.1.2.3:1", "[::1]",
            "[::1]:8880", "192.168.1.5:8880", "[fe80::1]:8880",
        ],
    )  # fmt: skip
    def test_names_of_this_machine(self, url, host):
        assert status(url, host=host) == 200

    @pytest.mark.parametrize("path", ["/", "/health", "/v1/audio/voices", "/metrics", "/openapi.json", "/nothing"])
    def test_a_page_that_rebinds_its_name(self, url, path):
        response = CLIENT.get(url + path, headers={"Host": "evil.example:8880"})
        assert response.status_code == 421
        assert response.json()["error"]["code"] == "host_not_allowed"
        assert "--allow-host evil.example" in response.json()["error"]["message"]

    @pytest.mark.parametrize(
        "host", ["", ":8880", "evil.example", "localhost.evil.example", "evil-localhost", "127.0.0.1.evil.example", "["]
    )
    def test_other_names(self, url, host):
        assert status(url, host=host) == 421

    def test_a_page_that_rebinds_its_name_cannot_speak(self, url):
        headers = {"Host": "evil.example:8880", "Origin": "http://evil.example:8880"}
        assert CLIENT.post(url + SPEECH, json={"input": "Hello."}, headers=headers).status_code == 421

    def test_without_a_host(self, url):
        # as health checks of load balancers ask; no browser does
        with connect(url) as connection:
            connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")

    def test_what_the_operator_allows(self, tiny):
        with running(tiny, host="TTS.lan", allow_hosts=("speech.example",)) as url:
            hosts = ["tts.lan:8880", "Speech.example", "localhost", "other.example"]
            assert [status(url, host=host) for host in hosts] == [200, 200, 200, 421]
        with running(tiny, allow_hosts=("*",)) as url:
            assert status(url, host="other.example") == 200


class TestOrigin:
    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "http://localhost:3000", "http://127.0.0.1", "null", ""]
    )
    def test_other_pages(self, url, origin):
        assert status(url, origin=origin) == 403
        response = CLIENT.post(url + SPEECH, json={"input": "Hello."}, headers={"Origin": origin})
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "origin_not_allowed"
        assert "access-control-allow-origin" not in response.headers
        asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert CLIENT.options(url + SPEECH, headers=asks).status_code == 403

    def test_its_own_page(self, url):
        assert status(url, origin=url) == 200
        # behind a reverse proxy with TLS
        assert status(url, host="localhost", origin="https://localhost") == 200
        assert CLIENT.post(url + SPEECH, json={"input": "Hello."}, headers={"Origin": url}).status_code == 200

    def test_what_the_operator_allows(self, tiny):
        with running(tiny, allow_origins=("https://example.org",), api_key="key") as url:
            asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
            allowed = CLIENT.options(url + SPEECH, headers=asks | {"Origin": "https://example.org"})
            assert allowed.headers["access-control-allow-origin"] == "https://example.org"
            other = CLIENT.options(url + SPEECH, headers=asks | {"Origin": "https://example.com"})
            assert "access-control-allow-origin" not in other.headers
            # a page may read why it got no answer
            refused = CLIENT.get(url + "/v1/models", headers={"Origin": "https://example.org"})
            assert refused.status_code == 401
            assert refused.headers["access-control-allow-origin"] == "https://example.org"
            key = {"Authorization": "Bearer key"}
            assert status(url, origin="https://example.org", **key) == 200
            assert status(url, origin="https://example.com", **key) == 403
        with running(tiny, allow_origins=("*",)) as url:
            assert status(url, origin="https://example.com") == 200


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]
)
def test_what_a_browser_sends_without_asking(url, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = CLIENT.post(url + SPEECH, content=b'{"input": "Hello."}', headers=headers)
    assert response.status_code == 400
    assert "Content-Type: application/json" in response.json()["error"]["message"]


def test_json_of_any_charset_parameter(url):
    assert speak(url).status_code == 200
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert CLIENT.post(url + SPEECH, content=b'{"input": "Hello."}', headers=headers).status_code == 200


@pytest.mark.parametrize("path", sorted(PAGE_PATHS))
def test_the_page_may_load_nothing_from_elsewhere(url, path):
    headers = CLIENT.get(url + path).headers
    suffix = path.rpartition(".")[2]
    kind = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}.get(suffix, "text/html")
    assert headers["content-type"].partition(";")[0] == kind
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'",
        "connect-src": "'self'", "media-src": "blob:", "base-uri": "'none'", "form-action": "'none'",
        "frame-ancestors": "'none'",
    }  # fmt: skip
    assert headers["cache-control"] == "no-cache"
    assert headers["x-content-type-options"] == "nosniff"
