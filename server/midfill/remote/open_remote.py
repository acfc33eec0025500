"""Opens the model of the server that the settings name."""

from __future__ import annotations

import os
from collections.abc import Callable

from midfill.inference.bundle import load_tokenizer_bundle
from midfill.inference.permission import require_permission
from midfill.inference.token_generator import LanguageModel, OnLoading
from midfill.inference.tokenizer import load_tokenizer
from midfill.remote.address import parse
from midfill.remote.remote_model import RemoteModel
from midfill.remote.server import Access, Server
from midfill.settings.policy_file import read_policy
from midfill.settings.schema import Settings

KEY_VARIABLE, ACTIONS_KEY_VARIABLE = "MIDFILL_ENGINE_KEY", "MIDFILL_ACTIONS_ENGINE_KEY"
"""The environment's variables for the keys of ``engine`` and of ``actionsEngine``."""


def access_of(settings: Settings) -> Access:
    """Return how the server of the setting ``engine`` is reached."""
    return Access(
        address=parse(settings.engine),
        model=settings.engine_model,
        protocol=settings.engine_protocol,
        key_variable=KEY_VARIABLE,
        key_file=settings.engine_key_file,
        ca_file=settings.engine_ca_file,
        certificate=settings.engine_certificate,
    )


def actions_access_of(settings: Settings) -> Access:
    """Return how the server of the setting ``actionsEngine`` is reached.

    No server gets another one's key. The same server gets the same, unless it has one for actions.
    """
    address = parse(settings.actions_engine)
    typing = parse(settings.engine) if settings.engine else None
    is_same = typing is not None and (typing.scheme, str(typing)) == (address.scheme, str(address))
    has_own_key = bool(settings.actions_engine_key_file) or bool(os.environ.get(ACTIONS_KEY_VARIABLE))
    takes_other = is_same and not has_own_key
    return Access(
        address=address,
        model=settings.actions_engine_model,
        protocol=settings.engine_protocol,
        key_variable=KEY_VARIABLE if takes_other else ACTIONS_KEY_VARIABLE,
        key_file=settings.engine_key_file if takes_other else settings.actions_engine_key_file,
        ca_file=settings.engine_ca_file,
        certificate=settings.engine_certificate,
    )


def open_remote(
    settings: Settings,
    access: Access,
    open_local: Callable[[], LanguageModel] | None,
    on_loading: OnLoading = lambda *_: None,
) -> RemoteModel:
    """Return the model of the server at ``access``, whose tokenizer is that of the bundle that ``settings`` name.

    The server need not answer now. ``open_local`` opens a model on this machine with the same tokens, which goes on
    where the server fails; None for no such model.

    Raises:
        BundleError: the bundle cannot be used.
        PolicyRefused: the administrators' policy forbids its model, or the server.
    """
    on_loading("reading the tokenizer", 0.0)
    bundle = load_tokenizer_bundle(settings.bundle)
    manifest = bundle.manifest
    require_permission(manifest, settings)
    read_policy().require_engine(access.address.base)
    tokenizer = load_tokenizer(bundle)
    server = Server(access, tokenizer, " The model on this machine answers meanwhile." if open_local else "")
    server.begin()  # it answers while the model on this machine is loaded
    local = open_local() if open_local else None
    on_loading("asking the server", 0.9)
    model = RemoteModel(manifest, tokenizer, server, settings.engine_timeout_ms / 1000, local)
    on_loading("ready", 1.0)
    return model
