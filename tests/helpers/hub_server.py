"""A Hugging Face Hub in miniature: serves one model repository over real HTTP on loopback."""

import hashlib
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATH = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


class Hub(ThreadingHTTPServer):
    """Serves `files` as the repository `owner/tiny` at `commit`.

    Attributes:
        requests: (method, file) of each request, in order.
        broken: a file whose body ends in the middle.
        token: without it in the request the repository does not exist, as a private one.
    """

    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(files)
        self.commit = "1" * 40
        self.requests = []
        self.broken = None
        self.token = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, *, body):
        hub = self.server
        match = PATH.fullmatch(self.path)
        file = match and match[3]
        hub.requests.append((self.command, file or self.path))
        if not match or match[1] != "owner/tiny":
            return self._fail("RepoNotFound")
        if hub.token and self.headers["Authorization"] != f"Bearer {hub.token}":
            return self._fail("RepoNotFound", status=401)
        if match[2] not in {"main", hub.commit}:
            return self._fail("RevisionNotFound")
        if file not in hub.files:
            return self._fail("EntryNotFound")
        content = hub.files[file]
        self.send_response(200)
        self.send_header("X-Repo-Commit", hub.commit)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body and file == hub.broken:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif body:
            self.wfile.write(content)
        return None

    def _fail(self, code, status=404):
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Repo-Commit", self.server.commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Keep the test's output clean."""
