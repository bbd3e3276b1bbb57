"""The client of the gateway: how a bridge asks for what needs a function's process or a role's credentials.

The gateway is the HTTP server in front of this one. Under /_local/ it runs functions, mints role sessions and delivers
events to targets; all else it passes on to this server.
"""

from __future__ import annotations

import json
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

ACCOUNT = "123456789012"
CREDENTIALS_SECONDS = 300


class GatewayError(Exception):
    pass


class Gateway:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self.host = parts.hostname or "localhost"
        self.port = parts.port or 80
        self._sessions: dict[str, tuple[float, dict[str, str]]] = {}
        self._lock = threading.Lock()
        self._local = threading.local()

    def post(self, path: str, body: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Posts JSON. Only a kept connection that the gateway closed meanwhile is tried again: work is never sent twice."""
        payload = json.dumps(body).encode()
        for reused in (True, False):
            connection = self._connection(reused, timeout)
            if connection is None:
                continue
            try:
                connection.request("POST", path, payload, {"Content-Type": "application/json"})
                response = connection.getresponse()
                data = response.read()
            except (OSError, HTTPException) as error:
                self._close()
                if reused and isinstance(error, (ConnectionResetError, BrokenPipeError, HTTPException)):
                    continue
                raise GatewayError(f"{path}: {error}") from error
            if response.status >= 300:
                raise GatewayError(f"{path}: HTTP {response.status} {data[:500].decode(errors='replace')}")
            return json.loads(data) if data else {}
        raise GatewayError(f"{path}: no connection")

    def _connection(self, reused: bool, timeout: float) -> HTTPConnection | None:
        kept: HTTPConnection | None = getattr(self._local, "connection", None)
        if reused:
            if kept is not None and kept.sock is not None:
                kept.sock.settimeout(timeout)
            return kept
        connection = HTTPConnection(self.host, self.port, timeout=timeout)
        self._local.connection = connection
        return connection

    def _close(self) -> None:
        kept: HTTPConnection | None = getattr(self._local, "connection", None)
        if kept is not None:
            kept.close()
            self._local.connection = None

    def credentials(self, role_arn: str) -> dict[str, str]:
        """A session of the role; cached, because the policies are judged at each call and not when it was minted."""
        now = time.monotonic()
        with self._lock:
            cached = self._sessions.get(role_arn)
        if cached and cached[0] > now:
            return cached[1]
        minted = self.post("/_local/credentials", {"roleArn": role_arn}, 30)
        session = {
            "aws_access_key_id": minted["accessKeyId"],
            "aws_secret_access_key": minted["secretAccessKey"],
            "aws_session_token": minted["sessionToken"],
        }
        with self._lock:
            self._sessions[role_arn] = (now + CREDENTIALS_SECONDS, session)
        return session
