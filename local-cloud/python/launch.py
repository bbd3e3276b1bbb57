"""Starts the emulator of the local cloud: moto in server mode with the bridges of this folder.

`python launch.py --port 5100 --gateway http://localhost:5000 --state <folder> [--parent-pid N]`
prints `{"ready": true, "port": 5100}` when it serves. It ends on SIGTERM and when its parent is gone.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PARENT_POLL_SECONDS = 0.5


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 for a free one")
    parser.add_argument("--gateway", required=True, help="URL of the gateway that all calls, also moto's own, go through")
    parser.add_argument("--state", type=Path, required=True, help="folder for unzipped code")
    parser.add_argument("--parent-pid", type=int, default=os.getppid(), help="process whose end ends this one")
    return parser.parse_args()


def _environment(gateway: str) -> None:
    """What moto and botocore read when they are imported."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        os.environ.pop(name, None)
    os.environ.update(
        MOTO_PORT=str(urlsplit(gateway).port),
        MOTO_ACCOUNT_ID="123456789012",
        MOTO_EC2_LOAD_DEFAULT_AMIS="false",
        MOTO_IAM_LOAD_MANAGED_POLICIES="true",
        AWS_ACCESS_KEY_ID="emulator",
        AWS_SECRET_ACCESS_KEY="emulator",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_EC2_METADATA_DISABLED="true",
    )


def _follow_parent(pid: int) -> None:
    def watch() -> None:
        while True:
            time.sleep(PARENT_POLL_SECONDS)
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                os._exit(0)
            except PermissionError:
                pass

    threading.Thread(target=watch, daemon=True).start()


def _install(gateway_url: str, state: Path) -> Any:
    """Imports moto, mends it, and gives the application."""
    import bridges
    from gateway import Gateway

    return bridges.install(Gateway(gateway_url), state)


def main() -> None:
    arguments = _arguments()
    # Executions, deliveries and timers are all in memory: there is nothing to save.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    _follow_parent(arguments.parent_pid)
    _environment(arguments.gateway)
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    warnings.filterwarnings("ignore", module="moto")
    app = _install(arguments.gateway, arguments.state)

    from server import Server

    server = Server(arguments.port, app)
    print(json.dumps({"ready": True, "port": server.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
