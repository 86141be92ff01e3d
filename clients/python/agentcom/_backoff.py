"""How long to wait before the next attempt."""

from __future__ import annotations

import random

# Whatever somebody on the way asks for.
LONGEST_RETRY_AFTER = 300.0


class Backoff:
    """Exponential, with jitter: between half of the step and all of it. In seconds."""

    def __init__(self, initial: float, maximum: float) -> None:
        if not 0 < initial <= maximum:
            raise ValueError("backoff: 0 < initial <= maximum must hold")
        self._initial = initial
        self._maximum = maximum
        self._step = initial

    def reset(self) -> None:
        self._step = self._initial

    def next(self, at_least: float | None = None) -> float:
        """The next delay; what the hub asked for (`Retry-After`) is a lower bound."""
        delay = random.uniform(self._step / 2, self._step)
        self._step = min(self._step * 2, self._maximum)
        if at_least is not None and min(at_least, LONGEST_RETRY_AFTER) > delay:
            # Jitter here, too: a thousand clients were told the same second.
            delay = min(at_least, LONGEST_RETRY_AFTER) + random.uniform(0, self._initial)
        return delay
