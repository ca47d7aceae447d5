"""/metrics, /healthz and /readyz of one process, served by a thread beside its work."""

from __future__ import annotations

import errno
import http.server
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self

from prometheus_client import CONTENT_TYPE_LATEST

from pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.metrics.registry import Metrics

FIRST_PORT: Final = 9464
_PORTS_TRIED: Final = 200
_TEXT: Final = "text/plain; charset=utf-8"
_CLIENT_SECONDS: Final = 10.0  # a client that stays mute longer is hung up on

Answer = tuple[HTTPStatus, str, bytes]
Page = Callable[[], Answer]


class MetricsServer:
    """Serves `metrics`. `ready` gives None when the process is ready for work, else the reason why not.

    /healthz answers 200 as long as the process lives, /readyz 200 or 503 with the reason. `pages` are served
    beside these, or in their place.
    """

    def __init__(
        self,
        metrics: Metrics,
        ready: Callable[[], str | None],
        *,
        host: str,
        port: int,
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        self._ready = ready
        self._pages = {
            "/metrics": lambda: metrics_page(metrics.exposition()),
            "/healthz": lambda: (HTTPStatus.OK, _TEXT, b"alive\n"),
            "/readyz": self._readiness,
            **(pages or {}),
        }
        self._server = _listen(
            host, [port] if port else range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED), self._answer
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics", daemon=True
        )

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        host, port = self._server.server_address[:2]
        return f"[{host!s}]:{port}" if self._server.address_family == socket.AF_INET6 else f"{host!s}:{port}"

    def start(self) -> Self:
        """Answer from now on."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer no more and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answer(self, path: str) -> Answer:
        page = self._pages.get(path)
        if page is None:
            return HTTPStatus.NOT_FOUND, _TEXT, f"there are {', '.join(self._pages)}\n".encode()
        return page()

    def _readiness(self) -> Answer:
        reason = self._ready()
        status = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
        return status, _TEXT, f"{reason or 'ready'}\n".encode()


def metrics_page(exposition: bytes) -> Answer:
    """An exposition as a page."""
    return HTTPStatus.OK, CONTENT_TYPE_LATEST, exposition


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A plain TCP server: unlike http.server's it does not ask DNS for our own name."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, host: str, port: int, answer: Callable[[str], Answer]) -> None:
        self.answer = answer
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is not worth a line; anything else is a fault of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = _CLIENT_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Answer one request."""
        status, kind, body = self.server.answer(self.path.partition("?")[0])
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Scrapes are not worth a line."""


def _listen(host: str, ports: Iterable[int], answer: Callable[[str], Answer]) -> _Server:
    """A server on the first of `ports` that is free. Raises ConfigurationError when none is."""
    for port in ports:
        try:
            return _Server(host, port, answer)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ConfigurationError(
                    f"cannot listen on {host}:{port}: {error.strerror}. Set ORGSTREAM_METRICS_HOST and "
                    "ORGSTREAM_METRICS_PORT to an address of this machine."
                ) from error
    raise ConfigurationError(
        f"port {port} of {host} is taken. Set ORGSTREAM_METRICS_PORT to a free one, or to 0 to find one."
    )
