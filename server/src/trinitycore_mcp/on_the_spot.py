"""Coroutines that mostly need not wait: run as far as they get at once, without the cost of watching them."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class OnTheSpot(Generic[T]):
    """A coroutine, run until it is done or waits for the first time; await it for the rest.

    Whatever it raises at once is raised here.
    """

    __slots__ = ("_coroutine", "_waits_for", "done", "result")

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self.done = False
        self.result: T
        """What it returned, when it is done."""
        try:
            self._waits_for = coroutine.send(None)
        except StopIteration as end:
            self.done = True
            self.result = end.value

    def __await__(self) -> Generator[Any, Any, T]:
        """Go on: hand what it waits for to the task that runs us, and the answers back."""
        if self.done:
            return self.result
        coroutine, waits_for = self._coroutine, self._waits_for
        while True:
            try:
                try:
                    answer = yield waits_for
                except GeneratorExit:
                    coroutine.close()
                    raise
                except BaseException as error:  # a cancellation, too, is for the coroutine to see
                    waits_for = coroutine.throw(error)
                else:
                    waits_for = coroutine.send(answer)
            except StopIteration as end:
                value: T = end.value
                return value
