"""The next edit of one client, free of the protocol: what was changed, what is offered, and what becomes of it.

An edit that is shown stays valid while the user types it by hand, and the one after it is predicted meanwhile. A key
that does anything else ends all work on edits.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from midfill.common.reasons import Reason
from midfill.next_edit.dismissed import Change, change_of
from midfill.next_edit.history import EditHistory
from midfill.next_edit.new_diagnostics import Diagnostic, NewDiagnostics
from midfill.next_edit.search import Situation
from midfill.next_edit.type_through import parts_of, rest_of
from midfill.next_edit.types import Document, NextEdit, Place, TextEdit, Why
from midfill.outcomes.edit_acceptance import EditAcceptance
from midfill.session.edit_runner import EditRunner
from midfill.session.snapshots import DocumentSnapshot, OpenDocuments
from midfill.settings.live import LiveSettings

_MAX_OFFERS = 16
"""Maximum number of edits that are remembered, to know what became of them."""
_MAX_DISMISSED = 64
"""Maximum number of dismissed edits that are remembered."""
GhostText = Callable[[str], "TextEdit | None"]
"""Takes a document's path, and returns the ghost text that it was last given, as an edit; None if it has none."""


@dataclass(frozen=True)
class Offer:
    """An edit for the user, or the reason why there is none."""

    number: int
    uri: str
    """The document that is edited; the one that was asked about if there is no edit."""
    version: int
    text: str
    """The document as it is."""
    edit: TextEdit | None
    """One edit that makes the whole change; None if there is none."""
    predicted: NextEdit
    """How it came about; ``predicted.edits`` are the smallest edits that together make the change."""

    @property
    def after(self) -> str:
        """The document with the edit."""
        return self.edit.apply(self.text) if self.edit is not None else self.text


class EditService:
    """The edits of one client; for use on one event loop."""

    def __init__(
        self,
        runner: EditRunner,
        settings: LiveSettings,
        open_documents: OpenDocuments,
        acceptance: EditAcceptance,
        ghost_text: GhostText = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Offer edits.

        Args:
            runner: predicts.
            settings: say whether edits are wanted.
            open_documents: returns all open documents.
            acceptance: counts what becomes of an edit.
            ghost_text: returns the ghost text that an edit must not repeat.
            clock: returns the seconds since some fixed moment, for the edit history.
        """
        self._runner = runner
        self._settings = settings
        self._open_documents = open_documents
        self._acceptance = acceptance
        self._ghost_text = ghost_text
        self._history = EditHistory(clock)
        self._texts: dict[str, str] = {}
        """The text of each open document, by path: the next change is told from it."""
        self._diagnostics = NewDiagnostics()
        self._offers: OrderedDict[int, Offer] = OrderedDict()
        self._dismissed: OrderedDict[Change, None] = OrderedDict()
        self._number = 0
        self._ahead: asyncio.Task[None] | None = None
        self._expected = ""
        """The text of the document once the edit that is shown is accepted."""
        self._after_expected: NextEdit | None = None

    def opened(self, path: str, text: str) -> None:
        """Note the text of a document that the client has opened."""
        self._texts[path] = text

    def changed(self, path: str, text: str) -> None:
        """Note that a document's text became another one: by a change of the user's, or by an edit that was offered."""
        before, self._texts[path] = self._texts.get(path), text
        if before is None or not self._settings.now.next_edit:
            return
        offer = next((o for o in reversed(self._offers.values()) if o.edit is not None and o.text == before), None)
        accepted = offer is not None and offer.predicted.place.path == path and offer.after == text
        self._history.changed(path, before, text, suggested=accepted)
        if offer is not None and accepted:
            self.accepted(offer.number)
        if text != self._expected and not self._is_on_the_way(path, text):
            self._stop_work_ahead()
            self._runner.interrupt(Reason.SUPERSEDED)

    async def predict(
        self, uri: str, line: int, column: int, diagnostics: Sequence[Diagnostic] = (), *, invoked: bool = False
    ) -> Offer:
        """Return the next edit when the cursor is at a place of an open document; lines and columns from 0.

        Args:
            uri: the document.
            line: the cursor's line.
            column: its column in characters.
            diagnostics: all that the client knows of the document's. Those that appeared since are places to look at.
            invoked: whether the user asks for it. Then edits that were dismissed may come again.

        Raises:
            KeyError: the document is not open.
            asyncio.CancelledError: the caller was cancelled.
        """
        documents = self._open_documents()
        asked = documents[uri]
        cursor = Place(path=asked.path, line=line, column=column, why=Why.CURSOR)
        if not self._settings.now.next_edit:
            return self._offer(asked, NextEdit(place=cursor, reason=Reason.DISABLED))
        if invoked:
            self._dismissed.clear()
        broken = {asked.path: self._diagnostics.since_first(asked.path, diagnostics)}
        if (known := self._continued(asked)) is not None:
            return known
        by_path = {document.path: document for document in documents.values()}
        by_path[asked.path] = asked
        if asked.text == self._expected and self._ahead is not None:
            await asyncio.wait([self._ahead])  # it is being predicted already
        found = self._after_expected if asked.text == self._expected else None
        if found is None:
            self._stop_work_ahead()
            found = await self._runner.predict(replace(self._situation(by_path, cursor), diagnostics=broken))
        changed = by_path.get(found.place.path, asked)
        offer = self._offer(changed, self._unless_ghost_text(found, changed))
        current = self._open_documents().get(changed.uri)
        if current is None or current.text != changed.text:  # typed on meanwhile
            return self._offer(asked, replace(found, edits=(), reason=Reason.SUPERSEDED))
        if offer.edit is not None:
            self._predict_ahead(offer, by_path)
        return offer

    def shown(self, number: int) -> None:
        """Note that the client shows an edit."""
        offer = self._offers.get(number)
        if offer is not None and offer.edit is not None:
            self._acceptance.shown(number)

    def accepted(self, number: int) -> None:
        """Note that the user accepted an edit."""
        offer = self._offers.get(number)
        if offer is not None and offer.edit is not None:
            self._acceptance.applied(number, offer.predicted.place.path, offer.edit.text)

    def dismissed(self, number: int) -> None:
        """Note that the user does not want an edit. The same change is not offered again."""
        offer = self._offers.pop(number, None)
        if offer is None or offer.edit is None:
            return
        self._dismissed[change_of(offer.predicted.place.path, offer.text, offer.edit)] = None
        while len(self._dismissed) > _MAX_DISMISSED:
            self._dismissed.popitem(last=False)
        self._stop_work_ahead()

    def closed(self, path: str) -> None:
        """Forget what was offered in a document, because it was closed. Its changes are kept, as an example."""
        self._texts.pop(path, None)
        self._diagnostics.forget(path)
        for number in [n for n, offer in self._offers.items() if offer.predicted.place.path == path]:
            del self._offers[number]

    def close(self) -> None:
        """Stop everything."""
        self._stop_work_ahead()
        self._runner.close()

    def _situation(self, documents: dict[str, DocumentSnapshot], cursor: Place) -> Situation:
        return Situation(
            documents={path: _document(document) for path, document in documents.items()},
            cursor=cursor,
            history=self._history.hunks(),
            undone=self._history.undone(),
            dismissed=frozenset(self._dismissed),
        )

    def _continued(self, document: DocumentSnapshot) -> Offer | None:
        """Return the rest of an edit that the user is typing by hand; the same edit if nothing was typed.

        It keeps the edit's number, so it counts once.
        """
        for offer in reversed(self._offers.values()):
            if offer.edit is None or offer.predicted.place.path != document.path:
                continue
            if document.text == offer.text:
                return self._offer(document, offer.predicted, offer)
            rest = rest_of(offer.edit, offer.text, document.text)
            if rest is None:
                return None
            return self._offer(document, replace(offer.predicted, edits=parts_of(rest, document.text)), offer)
        return None

    def _is_on_the_way(self, path: str, text: str) -> bool:
        """Whether the user has typed a part of the edit that is shown: typing the rest leads to the expected text."""
        latest = next((offer for offer in reversed(self._offers.values()) if offer.edit is not None), None)
        if latest is None or latest.edit is None or latest.predicted.place.path != path:
            return False
        return rest_of(latest.edit, latest.text, text) is not None

    def _unless_ghost_text(self, found: NextEdit, document: DocumentSnapshot) -> NextEdit:
        ghost = self._ghost_text(document.path) if found.edits else None
        if ghost is not None and ghost.apply(document.text) == found.apply(document.text):
            return replace(found, edits=(), reason=Reason.GHOST_TEXT)
        return found

    def _offer(self, document: DocumentSnapshot, found: NextEdit, continued: Offer | None = None) -> Offer:
        if continued is None:
            self._number += 1
        number = self._number if continued is None else continued.number
        edit = found.joined(document.text) if found.edits else None
        offer = Offer(number, document.uri, document.version, document.text, edit, found)
        self._offers[number] = offer
        self._offers.move_to_end(number)
        while len(self._offers) > _MAX_OFFERS:
            self._offers.popitem(last=False)
        return offer

    def _predict_ahead(self, offer: Offer, documents: dict[str, DocumentSnapshot]) -> None:
        """Predict what comes after an edit, while the user looks at it."""
        edited = next(document for document in documents.values() if document.uri == offer.uri)
        after = replace(edited, text=offer.after)
        accepted = EditHistory(lambda: 0.0)
        accepted.changed(edited.path, edited.text, after.text, suggested=True)
        line = offer.after.count("\n", 0, offer.edit.start + len(offer.edit.text)) if offer.edit else 0
        cursor = Place(path=edited.path, line=line, why=Why.CURSOR)
        now = self._situation({**documents, edited.path: after}, cursor)
        self._expected = offer.after
        self._ahead = asyncio.create_task(self._keep(replace(now, history=(*now.history, *accepted.hunks()))))

    async def _keep(self, situation: Situation) -> None:
        self._after_expected = await self._runner.predict(situation)

    def _stop_work_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.cancel()
        self._ahead = self._after_expected = None
        self._expected = ""


def _document(snapshot: DocumentSnapshot) -> Document:
    return Document(path=snapshot.path, text=snapshot.text, language=snapshot.language, opened_as=snapshot.opened_as)
