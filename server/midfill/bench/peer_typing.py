"""Types into the peer: it gets the same text as Midfill, and its suggestions end where Midfill's would."""

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
class PeerSuggestion:
    """A suggestion and its cost. The fields are updated while the suggestion streams in."""

    text: str = ""
    prompt_tokens: int = 0
    """Number of prompt tokens that were computed; those found in the cache are not counted."""
    tokens: int = 0
    """Number of generated tokens."""
    seconds: float = 0.0
    """Time of all generated tokens but the first."""


class PeerTyping:
    """A :class:`midfill.bench.replay.Suggester`.

    The peer gets the same text before and after the cursor as Midfill's prompt has. Its output is stopped and filtered
    by the same code. So only the engines differ.
    """

    def __init__(self, server: LlamaServer, sides: Sides, settings: Settings) -> None:
        self._server = server
        self._sides = sides
        self._settings = settings
        self._text = ""
        self._path = ""
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._computed_before = 0
        """Tokens computed for all suggestions before the current one."""
        self._current = PeerSuggestion()

    @property
    def tokens_computed(self) -> int:
        """See :attr:`midfill.bench.replay.Suggester.tokens_computed`; a withdrawn prefill is not counted."""
        return self._computed_before + self._current.prompt_tokens + max(self._current.tokens - 1, 0)

    def open(self, scene: Scene) -> None:
        """See :meth:`midfill.bench.replay.Suggester.open`."""
        self._text, self._path = scene.text, scene.path

    def type(self, offset: int, text: str) -> Future[str]:
        """See :meth:`midfill.bench.replay.Suggester.type`."""
        self._text = self._text[:offset] + text + self._text[offset:]
        document, offset = self._text, offset + len(text)
        text_to_come: Future[str] = Future()
        suggestion, connection = PeerSuggestion(), self._server.connect()
        self._computed_before = self.tokens_computed
        self._current, self._connection = suggestion, connection

        def work() -> None:
            try:
                self._generate(document, offset, suggestion, connection, automatic=True)
                text_to_come.set_result(suggestion.text)
            except BaseException as error:  # whoever waits for the future gets it
                text_to_come.set_exception(error)
            finally:
                connection.close()

        self._thread = threading.Thread(target=work, name="bench-peer", daemon=True)
        self._thread.start()
        return text_to_come

    def withdraw(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.withdraw`."""
        if self._connection is not None:
            self._connection.shut_down()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.close`."""
        self._server.wait_until_idle()

    def complete(self, text: str, offset: int) -> PeerSuggestion:
        """Generate the suggestion at ``offset`` to its end."""
        suggestion = PeerSuggestion()
        with contextlib.closing(self._server.connect()) as connection:
            self._generate(text, offset, suggestion, connection, automatic=False)
        return suggestion

    def _generate(
        self, text: str, offset: int, suggestion: PeerSuggestion, connection: Connection, *, automatic: bool
    ) -> None:
        context = gather(text, offset)
        near = postprocess.nearby(context)
        indentation = postprocess.indentation_of(near)
        language = language_of(self._path)
        place = postprocess.place_of(near, language) if automatic else ""
        max_lines = 1 if context.wants_one_line else self._settings.max_lines
        streamed = text_so_far = ""
        events = self._server.infill(self._sides.of(context), self._settings.max_tokens, connection)
        with contextlib.closing(events):
            for event in events:
                timings = event.get("timings", {})
                suggestion.prompt_tokens = timings.get("prompt_n", suggestion.prompt_tokens)
                suggestion.tokens = timings.get("predicted_n", suggestion.tokens)
                suggestion.seconds = timings.get("predicted_ms", 1000 * suggestion.seconds) / 1000
                streamed += event.get("content", "")
                text_so_far = postprocess.begin(streamed, near, indentation, language)
                if ending := postprocess.find_stop(text_so_far, near, max_lines, one_statement=automatic, place=place):
                    text_so_far = text_so_far[: ending.end]
                    break
        cut_short = suggestion.tokens >= self._settings.max_tokens
        suggestion.text = postprocess.finish(
            text_so_far, near, automatic=automatic, path=self._path, cut_short=cut_short
        ).text
