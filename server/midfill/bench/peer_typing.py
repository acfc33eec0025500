"""The peer as something to type into: given what ours gets, and stopped where ours stops."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future
from dataclasses import dataclass

from midfill import postprocess
from midfill.bench.peer import Connection, LlamaServer
from midfill.bench.scenes import Scene
from midfill.bench.sides import Sides
from midfill.code.languages import language_of
from midfill.prompt.context import gather
from midfill.settings.schema import Settings


@dataclass
class Written:
    """A suggestion, and what it took to write it, kept up to date while it comes in."""

    text: str = ""
    prompt_tokens: int = 0
    """Read, without those found in the cache."""
    tokens: int = 0
    seconds: float = 0.0
    """For all tokens but the first."""


class PeerTyping:
    """A :class:`midfill.bench.replay.Suggester`.

    The prompt's two sides are cut as ours, the text is watched while it streams in and ended by the same stops, and
    the same filters go over it; so what differs is the engine.
    """

    def __init__(self, server: LlamaServer, sides: Sides, settings: Settings) -> None:
        self._server = server
        self._sides = sides
        self._settings = settings
        self._text = ""
        self._path = ""
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._past = 0
        self._written = Written()

    @property
    def tokens_computed(self) -> int:
        """See :attr:`midfill.bench.replay.Suggester.tokens_computed`; without what a withdrawn prefill had done."""
        return self._past + self._written.prompt_tokens + max(self._written.tokens - 1, 0)

    def open(self, scene: Scene) -> None:
        """See :meth:`midfill.bench.replay.Suggester.open`."""
        self._text, self._path = scene.text, scene.path

    def type(self, offset: int, text: str) -> Future[str]:
        """See :meth:`midfill.bench.replay.Suggester.type`."""
        self._text = self._text[:offset] + text + self._text[offset:]
        document, offset = self._text, offset + len(text)
        suggestion: Future[str] = Future()
        written, connection = Written(), self._server.connect()
        self._past = self.tokens_computed
        self._written, self._connection = written, connection

        def work() -> None:
            try:
                self._write(document, offset, written, connection, automatic=True)
                suggestion.set_result(written.text)
            except BaseException as error:  # for whoever waits
                suggestion.set_exception(error)
            finally:
                connection.close()

        self._thread = threading.Thread(target=work, name="bench-peer", daemon=True)
        self._thread.start()
        return suggestion

    def withdraw(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.withdraw`."""
        if self._connection is not None:
            self._connection.shut_down()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.close`."""
        self._server.wait_until_idle()

    def complete(self, text: str, offset: int) -> Written:
        """Fill in at a place to the end."""
        written = Written()
        with contextlib.closing(self._server.connect()) as connection:
            self._write(text, offset, written, connection, automatic=False)
        return written

    def _write(self, text: str, offset: int, written: Written, connection: Connection, *, automatic: bool) -> None:
        context = gather(text, offset)
        near = postprocess.nearby(context)
        indentation = postprocess.indentation_of(near)
        place = postprocess.place_of(near, language_of(self._path)) if automatic else ""
        max_lines = 1 if context.wants_one_line else self._settings.max_lines
        streamed = text_so_far = ""
        events = self._server.infill(self._sides.of(context), self._settings.max_tokens, connection)
        with contextlib.closing(events):
            for event in events:
                timings = event.get("timings", {})
                written.prompt_tokens = timings.get("prompt_n", written.prompt_tokens)
                written.tokens = timings.get("predicted_n", written.tokens)
                written.seconds = timings.get("predicted_ms", 1000 * written.seconds) / 1000
                streamed += event.get("content", "")
                text_so_far = postprocess.begin(streamed, near, indentation)
                if ending := postprocess.find_stop(text_so_far, near, max_lines, one_statement=automatic, place=place):
                    text_so_far = text_so_far[: ending.end]
                    break
        cut_short = written.tokens >= self._settings.max_tokens
        written.text = postprocess.finish(
            text_so_far, near, automatic=automatic, path=self._path, cut_short=cut_short
        ).text
