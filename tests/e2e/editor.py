"""An editor as the server sees it: a real one's capabilities, over pytest-lsp's client."""

from __future__ import annotations

import itertools
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cattrs import Converter
from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.workspace import PositionCodec, TextDocument
from pytest_lsp import LanguageClient, make_test_lsp_client

from e2e.raw_client import SHARED
from lengths import cases
from waiting import wait_on_loop_until

_CAPABILITIES = Path(__file__).parent / "capabilities"
_USUAL = [_CAPABILITIES / f"{name}.json" for name in ("emacs_v30.1", "neovim_v0.12.4", "visual_studio_code_v1.139.1")]
CAPTURED = cases(sorted(_CAPABILITIES.glob("*.json")), _USUAL)
"""What each editor sent in its `initialize`, as recorded from that editor. Neovim 0.11 counts as 0.12 does."""
CURSOR = "▌"

_uris = (f"file:///work/file_{number}.py" for number in itertools.count())


@dataclass(frozen=True)
class Place:
    """A cursor in an open document."""

    uri: str
    text: str
    position: types.Position


class Editor:
    """One session with a server's process."""

    def __init__(self, captured: Path, *, ghost_text: bool = True) -> None:
        recorded = json.loads(captured.read_text())
        capabilities = get_converter().structure(recorded["capabilities"], types.ClientCapabilities)
        assert capabilities.text_document is not None
        if not ghost_text:
            capabilities.text_document.inline_completion = None
        self.client: LanguageClient = make_test_lsp_client()
        self.applied: list[types.ApplyWorkspaceEditParams] = []
        """The edits that the server asked for."""

        def apply_edit(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            self.applied.append(params)
            return types.ApplyWorkspaceEditResult(applied=True)

        self.client.feature(types.WORKSPACE_APPLY_EDIT)(apply_edit)
        self.client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _params: None)
        _mend(self.client.protocol._converter)
        self._params = types.InitializeParams(
            capabilities=capabilities, client_info=types.ClientInfo(**recorded["clientInfo"])
        )
        self.encoding = ""

    async def start(self, options: dict[str, Any] | None = None) -> types.ServerCapabilities:
        """Start a server and initialize it; its model is only beginning to load then."""
        await self.client.start_io(sys.executable, "-m", "midfill", "serve")
        self._params.initialization_options = SHARED | (options or {})
        capabilities = (await self.client.initialize_session(self._params)).capabilities
        self.encoding = str(capabilities.position_encoding)
        return capabilities

    async def stop(self) -> None:
        """End the session in good order."""
        await self.client.shutdown_session()
        await self.client.stop()  # type: ignore[no-untyped-call]

    async def wait_until_loaded(self) -> list[Any]:
        """Wait for the end of the progress that shows loading; return all of it."""

        def find() -> list[Any]:
            ended = (
                reports
                for reports in self.client.progress_reports.values()
                if any(isinstance(report, types.WorkDoneProgressEnd) for report in reports)
            )
            return next(ended, [])

        return await wait_on_loop_until(find, "the model to be loaded")

    def open(self, marked: str) -> Place:
        """Open a document whose text has the cursor marked."""
        text = marked.replace(CURSOR, "")
        place = Place(next(_uris), text, self.position_of(marked))
        document = types.TextDocumentItem(uri=place.uri, language_id="python", version=0, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=document))
        return place

    def position_of(self, marked: str) -> types.Position:
        """Return the mark's position in the units this session has agreed on."""
        lines = re.split("\r\n|\n|\r", marked.partition(CURSOR)[0])
        return types.Position(line=len(lines) - 1, character=PositionCodec(self.encoding).client_num_units(lines[-1]))

    def type(self, place: Place, text: str) -> Place:
        """Insert a text of one line at the cursor."""
        width = PositionCodec(self.encoding).client_num_units(text)
        change = types.TextDocumentContentChangePartial(range=types.Range(place.position, place.position), text=text)
        document = types.VersionedTextDocumentIdentifier(uri=place.uri, version=1)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=document, content_changes=[change])
        )
        typed = self._replaced(place, change.range, text)
        return Place(place.uri, typed, types.Position(place.position.line, place.position.character + width))

    async def ghost_text(self, place: Place) -> list[types.InlineCompletionItem]:
        """Ask for inline completion."""
        result = await self.client.text_document_inline_completion_async(inline_completion_at(place))
        assert isinstance(result, types.InlineCompletionList), "null would leave stale ghost text in Neovim"
        return list(result.items)

    async def popup(self, place: Place) -> types.CompletionList:
        """Ask for completion, as by a key."""
        context = types.CompletionContext(trigger_kind=types.CompletionTriggerKind.Invoked)
        result = await self.client.text_document_completion_async(
            types.CompletionParams(types.TextDocumentIdentifier(place.uri), place.position, context)
        )
        assert isinstance(result, types.CompletionList)
        return result

    def accepted(self, place: Place, item: types.InlineCompletionItem) -> str:
        """Return the document once a ghost text is accepted."""
        assert item.range is not None
        assert isinstance(item.insert_text, str), "no editor declares snippets here"
        return self._replaced(place, item.range, item.insert_text)

    def _replaced(self, place: Place, span: types.Range, text: str) -> str:
        document = TextDocument(place.uri, place.text, position_codec=PositionCodec(self.encoding))
        start, end = document.offset_at_position(span.start), document.offset_at_position(span.end)
        return place.text[:start] + text + place.text[end:]


def _mend(converter: Converter) -> None:
    def structure(value: Any, _type: Any) -> types.Command | types.CodeAction:
        is_command = isinstance(value.get("command"), str)
        kind: Any = types.Command if is_command else types.CodeAction
        found: types.Command | types.CodeAction = converter.structure(value, kind)
        return found

    converter.register_structure_hook(types.Command | types.CodeAction, structure)


def inline_completion_at(place: Place) -> types.InlineCompletionParams:
    """Make the params of a request that typing triggers."""
    return types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(place.uri),
        position=place.position,
        context=types.InlineCompletionContext(trigger_kind=types.InlineCompletionTriggerKind.Automatic),
    )
