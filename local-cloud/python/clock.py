"""One thread for everything that happens later, such as a snapshot that completes."""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
import time
import traceback
from collections.abc import Callable


class Clock:
    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._started = False

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Runs `action`, which must be short, in the clock's thread."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), action))
            if not self._started:
                threading.Thread(target=self._run, name="clock", daemon=True).start()
                self._started = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.monotonic():
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                _, _, action = heapq.heappop(self._due)
            try:
                action()
            except Exception:
                traceback.print_exc(file=sys.stderr)


CLOCK = Clock()
