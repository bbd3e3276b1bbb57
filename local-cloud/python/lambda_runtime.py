"""Lambda: the deployed zip really runs, in a process that the gateway starts.

moto would run it in a Docker container. Follows
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and, for `InvocationType=Event`,
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html (two retries by default; the one and two
minutes between them are shortened to one and two seconds here).
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import threading
import time
import zipfile
from base64 import b64encode
from collections import defaultdict
from pathlib import Path
from typing import Any

from gateway import Gateway, GatewayError
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaFunction

RETRY_DELAYS_SECONDS = (1.0, 2.0)
DEFAULT_RETRIES = 2
MAX_ASYNC_PAYLOAD = 1_048_576


class TooManyRequests(LambdaClientError):
    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class Runtime:
    def __init__(self, gateway: Gateway, state: Path) -> None:
        self._gateway = gateway
        self._code = state / "code"
        self._code.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._running: dict[str, int] = defaultdict(int)

    def invoke(self, function: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> str | bytes:
        payload = body.decode() if isinstance(body, bytes) else body or "{}"
        kind = request_headers.get("x-amz-invocation-type") or request_headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        if kind == "DryRun":
            return ""
        if kind == "Event":
            if len(payload) > MAX_ASYNC_PAYLOAD:
                raise LambdaClientError("RequestEntityTooLargeException", f"{len(payload)} byte payload is too large for the Event invocation type (limit {MAX_ASYNC_PAYLOAD} bytes)")
            threading.Thread(target=self._invoke_async, args=(function, payload), daemon=True).start()
            return ""
        answer = self._run(function, payload)
        if answer.get("functionError"):
            response_headers["X-Amz-Function-Error"] = answer["functionError"]
        response_headers["X-Amz-Executed-Version"] = str(function.version)
        response_headers["x-amz-log-result"] = b64encode(str(answer.get("logTail") or "").encode()[-4096:]).decode()
        return str(answer.get("payload", "null")).encode()

    def _invoke_async(self, function: LambdaFunction, payload: str) -> None:
        configured = function.event_invoke_config[-1].response() if function.event_invoke_config else {}
        retries = int(configured.get("MaximumRetryAttempts", DEFAULT_RETRIES))
        for attempt in range(retries + 1):
            try:
                if not self._run(function, payload).get("functionError"):
                    return
            except (GatewayError, LambdaClientError) as error:
                print(f"asynchronous invocation of {function.function_name}: {error}", file=sys.stderr, flush=True)
            if attempt < retries:
                time.sleep(RETRY_DELAYS_SECONDS[min(attempt, len(RETRY_DELAYS_SECONDS) - 1)])

    def _run(self, function: LambdaFunction, payload: str) -> dict[str, Any]:
        self._enter(function)
        try:
            answer = self._gateway.post("/_local/lambda/invoke", self._request(function, payload), float(function.timeout) + 30)
        finally:
            with self._lock:
                self._running[function.function_arn] -= 1
        self._save_logs(function, str(answer.get("logTail") or ""))
        return answer

    def _enter(self, function: LambdaFunction) -> None:
        reserved = function.reserved_concurrency
        with self._lock:
            if reserved is not None and self._running[function.function_arn] >= int(reserved):
                raise TooManyRequests()
            self._running[function.function_arn] += 1

    def _request(self, function: LambdaFunction, payload: str) -> dict[str, Any]:
        return {
            "functionArn": function.function_arn,
            "functionName": function.function_name,
            "region": function.region,
            "handler": function.handler,
            "runtime": function.run_time,
            "memorySize": int(function.memory_size),
            "timeoutSeconds": float(function.timeout),
            "roleArn": function.role,
            "codeSha256": function.code_sha_256,
            "codeDir": str(self._unzipped(function)),
            "environment": {str(k): str(v) for k, v in (function.environment_vars or {}).items()},
            "payload": payload,
        }

    def _unzipped(self, function: LambdaFunction) -> Path:
        """The code, unzipped once for each content. The folder appears at once and whole."""
        target = self._code / function.code_digest
        with self._lock:
            if not target.exists():
                partial = target.with_suffix(".partial")
                shutil.rmtree(partial, ignore_errors=True)
                with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
                    archive.extractall(partial)
                os.rename(partial, target)
        return target

    @staticmethod
    def _save_logs(function: LambdaFunction, text: str) -> None:
        if text.strip():
            function.logs_backend.ensure_log_group(function.logs_group_name)
            function.save_logs(text)


def install(gateway: Gateway, state: Path) -> None:
    runtime = Runtime(gateway, state)

    def invoke(self: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> str | bytes:
        return runtime.invoke(self, body, request_headers, response_headers)

    LambdaFunction.invoke = invoke  # type: ignore[method-assign]
