"""Simulates huggingface.co, GitHub and Google Drive behind a local proxy, with TLS and faults.

Programs reach it as they reach the real ones: through HTTPS_PROXY, under the real names, with
certificates that they are told to trust.
"""

import hashlib
import re
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

HOSTS = (
    "huggingface.co",
    "cdn.example",
    "github.com",
    "drive.google.com",
    "drive.usercontent.google.com",
)
FORM = (
    '<html><body><form id="download-form" method="get" '
    'action="https://drive.usercontent.google.com/download"><input type="hidden" name="id" '
    'value="{}"><input type="hidden" name="confirm" value="t"></form></body></html>'
)
FOLDER = "<html><head><title>checkpoints</title></head><body>{}</body></html>"
LINK = '<a href="https://drive.google.com/file/d/{}/view?usp=drive_web">{}</a>'


class SmallInternet:
    """Serves `files` (content by URL) until it is closed.

    Attributes:
        files: content by URL; of Drive, .../drive/folders/ID/NAME.
        gated: parts of URLs that need `Authorization: Bearer token`.
        forbidden: hosts to which the proxy does not let anybody through.
        breaks: how many answers, of those with a body of more than 1000 bytes, break off half-way.
        spoilt: parts of URLs that answer with other bytes than they should.
        asked: method, URL and Range of every request.
    """

    def __init__(self, folder: Path):
        import trustme

        self.files: dict[str, bytes] = {}
        self.gated, self.forbidden, self.spoilt = set(), set(), set()
        self.breaks = 0
        self.asked: list[tuple[str, str, str]] = []
        authority = trustme.CA()
        self.certificate = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.certificate))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self._tls)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that send a program to this proxy."""
        proxy = f"http://127.0.0.1:{self._server.server_port}"
        trusted = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(self.certificate))
        return {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": "",
            "no_proxy": "",
            "HF_HUB_DISABLE_XET": "1",
            **trusted,
        }

    def drive_id(self, url: str) -> str:
        """Google Drive's id of a file."""
        return hashlib.sha256(url.encode()).hexdigest()[:33]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        internet = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self) -> None:  # noqa: N802
                self.host = self.path.split(":")[0]
                self.send_response(403 if self.host in internet.forbidden else 200)
                self.end_headers()
                if self.host in internet.forbidden:
                    return
                try:
                    self.connection = internet._tls.wrap_socket(self.connection, server_side=True)
                except (ssl.SSLError, OSError):
                    self.close_connection = True
                    return
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", 0)
                self.close_connection = False

            def do_GET(self) -> None:  # noqa: N802
                internet._answer(self, f"https://{self.host}{self.path}")

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, *line) -> None:
                pass

        return Handler

    def _answer(self, request, url: str) -> None:
        self.asked.append((request.command, url, request.headers.get("Range", "")))
        parts = urlsplit(url)
        if parts.hostname == "huggingface.co":
            self._hub(request, url)
        elif parts.hostname == "drive.google.com":
            self._drive(request, parts.path, parse_qs(parts.query))
        elif parts.hostname == "drive.usercontent.google.com":
            found = self._by_drive_id(parse_qs(parts.query)["id"][0])
            name = found.rsplit("/", 1)[1]
            self._send(request, found, {"Content-Disposition": f'attachment; filename="{name}"'})
        elif parts.hostname == "cdn.example":
            self._send(request, f"https://{parts.path[1:]}", {})
        elif url in self.files:
            self._redirect(request, url, {})
        else:
            _say(request, 404, b"not found")

    def _hub(self, request, url: str) -> None:
        """Headers like the hub's: the checksum of a large file, and the address of its CDN."""
        allowed = request.headers.get("Authorization") == "Bearer token"
        if any(part in url for part in self.gated) and not allowed:
            _say(request, 401, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "gated"})
        elif url not in self.files:
            _say(request, 404, b"", {"X-Error-Code": "EntryNotFound"})
        elif url.endswith(".json"):
            content = self.files[url]
            etag = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            self._send(request, url, {"ETag": f'"{etag}"', "X-Repo-Commit": "c" * 40})
        else:
            content = self.files[url]
            self._redirect(
                request,
                url,
                {
                    "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                    "X-Linked-Size": str(len(content)),
                    "X-Repo-Commit": "c" * 40,
                    "ETag": '"weak"',
                },
            )

    def _drive(self, request, path: str, query: dict) -> None:
        if path == "/embeddedfolderview":
            start = f"https://drive.google.com/drive/folders/{query['id'][0]}/"
            links = [
                LINK.format(self.drive_id(url), url.removeprefix(start))
                for url in self.files
                if url.startswith(start)
            ]
            _say(
                request,
                200 if links else 404,
                FOLDER.format("".join(links)).encode(),
                {"Content-Type": "text/html"},
            )
        else:
            form = FORM.format(query["id"][0]).encode()
            _say(request, 200, form, {"Content-Type": "text/html; charset=utf-8"})

    def _by_drive_id(self, number: str) -> str:
        return next(url for url in self.files if self.drive_id(url) == number)

    def _redirect(self, request, url: str, headers: dict) -> None:
        location = f"https://cdn.example/{url.removeprefix('https://')}"
        _say(request, 302, b"", {"Location": location, **headers})

    def _send(self, request, url: str, headers: dict) -> None:
        content = self.files[url]
        if any(part in url for part in self.spoilt):
            content = bytes(len(content))
        start = re.match(r"bytes=(\d+)-", request.headers.get("Range", ""))
        first = int(start[1]) if start else 0
        if first and first >= len(content):
            _say(request, 416, b"")
            return
        body = content[first:]
        headers = {"Content-Type": "application/octet-stream", **headers}
        if start:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        broken = self.breaks > 0 and len(body) > 1000 and request.command == "GET"
        self.breaks -= broken
        _say(request, 206 if start else 200, body, headers, upto=len(body) // 2 if broken else None)


def _say(
    request, status: int, body: bytes, headers: dict | None = None, *, upto: int | None = None
) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body[:upto])
    if upto is not None:
        request.close_connection = True
        request.connection.shutdown(socket.SHUT_RDWR)
