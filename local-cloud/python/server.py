"""The HTTP side: moto's WSGI application behind a keep-alive handler, with one lock per service.

werkzeug's own handler closes the connection after each answer and waits 10 ms for stray bytes. A fleet of 1,000 machines
makes some ten thousand calls a cycle, so this handler reads the whole body first and keeps the connection.
"""

from __future__ import annotations

import io
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

# AWS makes each of these services' calls atomic (conditional writes, client tokens, quotas); moto checks and then acts, in
# threads. A service whose calls wait for functions must not be here: the function may call it.
SERIALIZED = ("ec2", "dynamodb", "iam", "kms", "sts", "ssm", "logs", "s3", "scheduler", "backup")


class Application:
    """Routes /_emulator/ to the emulator's own API and all else to moto."""

    def __init__(self, emulator: Callable[..., Iterable[bytes]]) -> None:
        self._emulator = emulator
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._locks = {service: threading.RLock() for service in SERIALIZED}
        self._backends: dict[str | None, Any] = {}
        resolve = self._moto.get_backend_for_host
        # moto tries some hundred regular expressions for each request.
        self._moto.get_backend_for_host = lambda host: self._cached(host, resolve)  # type: ignore[method-assign]

    def _cached(self, host: str | None, resolve: Callable[[str | None], Any]) -> Any:
        if host not in self._backends:
            self._backends[host] = resolve(host)
        return self._backends[host]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/_emulator/"):
            return self._emulator(environ, start_response)
        app = self._moto.get_application(environ)
        lock = self._locks.get(str(getattr(app, "service", "")))
        if lock is None:
            return app(environ, start_response)
        with lock:
            return app(environ, start_response)


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The gateway records calls."""

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        environ = self.make_environ()
        body = self._read_body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        answer: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
            answer[:] = [status, headers]
            return lambda _: None

        try:
            chunks = self.server.app(environ, start_response)
            payload = b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            answer = ["500 Internal Server Error", [("Content-Type", "text/plain")]]
            payload = f"The emulator failed: {error!r}".encode()
        self._write(answer[0], answer[1], payload)

    def _read_body(self, environ: dict[str, Any]) -> bytes:
        if environ.get("wsgi.input_terminated"):
            return environ["wsgi.input"].read()
        return self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))

    def _write(self, status: str, headers: list[tuple[str, str]], payload: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        head = self.command == "HEAD"
        for key, value in headers:
            # HeadObject answers the object's length without a body.
            if key.lower() in ("connection", "transfer-encoding") or (key.lower() == "content-length" and not head):
                continue
            self.send_header(key, value)
        if not head and code not in ("204", "304"):
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if not head and code not in ("204", "304"):
            self.wfile.write(payload)
        self.wfile.flush()


class Server(ThreadedWSGIServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int, app: Application) -> None:
        super().__init__("127.0.0.1", port, app, handler=Handler)
