"""What an editor can do, as its capabilities say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsprotocol import types


@dataclass(frozen=True, kw_only=True)
class ActionClient:
    """What an editor can do with actions."""

    literals: bool = False
    """Whether it takes code actions, not only commands."""
    resolves_edits: bool = False
    """Whether it asks for an action's edit when the action is chosen."""
    asks_for_input: bool = False
    """Whether its plug-in has a command that asks the user for an instruction."""

    @classmethod
    def of(cls, capabilities: types.ClientCapabilities) -> ActionClient:
        """Read a client's capabilities."""
        able = capabilities.text_document.code_action if capabilities.text_document else None
        properties = able.resolve_support.properties if able and able.resolve_support else ()
        own = own_capabilities(capabilities)
        return cls(
            literals=bool(able and able.code_action_literal_support),
            resolves_edits=bool(able and able.data_support) and "edit" in properties and not own.get("commands"),
            asks_for_input=own.get("input") is True,
        )


def own_capabilities(capabilities: types.ClientCapabilities) -> Mapping[str, Any]:
    """Return what a client's ``experimental`` capabilities say about Midfill."""
    experimental = capabilities.experimental
    own = experimental.get("midfill") if isinstance(experimental, Mapping) else None
    return own if isinstance(own, Mapping) else {}


def streams_texts(capabilities: types.ClientCapabilities) -> bool:
    """Return whether the client's plug-in shows texts piece by piece."""
    return own_capabilities(capabilities).get("actionText") is True


def takes_documents(capabilities: types.ClientCapabilities) -> bool:
    """Return whether the client can show documents that it gets from the server."""
    window, workspace = capabilities.window, capabilities.workspace
    shows = window is not None and window.show_document is not None and window.show_document.support
    content = workspace.text_document_content if workspace else None
    return bool(shows and content and content.dynamic_registration)
