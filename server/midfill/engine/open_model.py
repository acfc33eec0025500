"""The one place that decides where a model is: at a server, in the shared engine process, or in this process.

A server that shares an engine never imports onnxruntime. So whatever imports it is imported here when it is needed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from midfill.common import memory
from midfill.common.errors import BundleNotFound, EngineUnavailable
from midfill.common.logs import PublicText
from midfill.engine.address import address_for, digest_of
from midfill.engine.engine_process import EngineProcess, EngineSetup
from midfill.engine.shared_model import SharedModel
from midfill.inference.bundle import MANIFEST, TOKENIZER, Bundle, load_bundle, read_manifest
from midfill.inference.bundle_versions import load_current
from midfill.inference.memory_needed import require_memory
from midfill.inference.permission import require_permission
from midfill.inference.token_generator import LanguageModel, OnLoading
from midfill.inference.tokenizer import load_tokenizer
from midfill.settings.schema import Settings
from midfill.sharing import CAN_SHARE

Load = Callable[[Settings, OnLoading], LanguageModel]
_log = logging.getLogger(__name__)


def open_model(settings: Settings, on_loading: OnLoading = lambda *_: None) -> LanguageModel:
    """Return the model that ``settings`` name: at a server; or in the engine process, unless they or the system forbid.

    Raises:
        BundleError: the bundle cannot be used.
        PolicyRefused: the administrators' policy forbids its model.
        ModelError: onnxruntime refuses its graph.
    """
    if settings.engine:
        return _remote(settings, on_loading, _open_here)
    return _open_here(settings, on_loading)


def open_in_process(settings: Settings, on_loading: OnLoading = lambda *_: None) -> LanguageModel:
    """Return the model that ``settings`` name: at a server, or loaded in this process.

    Raises:
        BundleError, ModelError: as :func:`open_model`.
    """
    if settings.engine:
        return _remote(settings, on_loading, _load_here)
    return _load_here(settings, on_loading)


def open_for_actions(settings: Settings, typing: LanguageModel) -> LanguageModel:
    """Return the model of ``actionsEngine``, or else that of ``actionsBundle``, loaded in this process.

    Where that server fails, the model of ``actionsBundle`` goes on; or else ``typing``, the model that suggests, if its
    tokens are the same.

    Raises:
        BundleError, ModelError: as :func:`open_model`.
    """
    if not settings.actions_engine:
        return _load_here(replace(settings, bundle=settings.actions_bundle), _quietly)
    from midfill.remote.open_remote import actions_access_of, open_remote

    has_own = (settings.actions_bundle / MANIFEST).is_file()
    settings = replace(settings, bundle=settings.actions_bundle if has_own else settings.bundle)
    manifest = read_manifest(settings.bundle)
    open_local: Callable[[], LanguageModel] | None = None
    if has_own and manifest.has_weights:
        open_local = partial(_load_here, settings, _quietly)
    elif typing.manifest.files.get(TOKENIZER) == manifest.files.get(TOKENIZER):
        open_local = lambda: typing  # noqa: E731 -- as short as can be
    return open_remote(settings, actions_access_of(settings), open_local)


def open_for_edits(settings: Settings, context: int) -> LanguageModel:
    """Return the model of ``nextEditModel``, loaded in this process; its KV cache will have ``context`` tokens.

    Raises:
        BundleError, ModelError, PolicyRefused: as :func:`check_for_edits`.
    """
    # An edit's drafts are the old text. So the memory that the setting allows is not spent on a model that drafts.
    return _load_here(replace(settings, bundle=check_for_edits(settings, context).path, draft_tokens=0), _quietly)


def check_for_edits(settings: Settings, context: int) -> Bundle:
    """Return the bundle of ``nextEditModel``, if it can be used. What it needs is computed first, from its manifest.

    Raises:
        BundleError: the bundle cannot be used.
        ModelTooLarge: it needs more memory than ``nextEditMegabytes`` allows, or than is free.
        PolicyRefused: the administrators' policy forbids it.
    """
    folder = settings.next_edit_bundle
    assert folder is not None  # noqa: S101 -- the caller has asked
    try:
        manifest = read_manifest(folder)
    except BundleNotFound:
        raise BundleNotFound(
            f"There is no bundle of 'nextEditModel' in {folder}: {settings.next_edit_advice}."
        ) from None
    limit = settings.next_edit_megabytes * 1_000_000
    require_memory(manifest, min(context, manifest.usable_context), limit, "nextEditMegabytes")
    require_permission(manifest, settings)
    return load_bundle(folder)


def _remote(settings: Settings, on_loading: OnLoading, open_local: Load) -> LanguageModel:
    from midfill.remote.open_remote import access_of, open_remote

    has_weights = read_manifest(settings.bundle).has_weights
    local = partial(open_local, settings, on_loading) if has_weights else None
    return open_remote(settings, access_of(settings), local, on_loading)


def _quietly(_step: str, _done: float) -> None:
    """Tell nobody how far the loading is."""


def _open_here(settings: Settings, on_loading: OnLoading) -> LanguageModel:
    if settings.share_engine and CAN_SHARE:
        try:
            return load_current(settings.bundle, lambda: _shared(settings, on_loading))
        except EngineUnavailable as error:
            _log.warning("%s", PublicText(f"{error} This server loads the model itself."))
    return _load_here(settings, on_loading)


def _load_here(settings: Settings, on_loading: OnLoading) -> LanguageModel:
    from midfill.inference.loaded_model import load_model

    return load_model(settings, on_loading)


def _shared(settings: Settings, on_loading: OnLoading) -> SharedModel:
    on_loading("checking the bundle", 0.0)
    bundle = load_bundle(settings.bundle)
    require_permission(bundle.manifest, settings)
    address = address_for(bundle.manifest, settings.threads)
    setup = EngineSetup(
        bundle=str(settings.bundle.absolute()),
        digest=digest_of(bundle.manifest),
        threads=settings.threads,
        use=settings.use,
    )
    engine = EngineProcess(address, setup, settings.unload_minutes * 60)
    engine.begin()  # it loads the model while this process reads the tokenizer
    on_loading("reading the tokenizer", 0.2)
    tokenizer = load_tokenizer(bundle)
    on_loading("loading the model", 0.4)
    model = SharedModel(bundle.manifest, tokenizer, engine)
    on_loading("ready", 1.0)
    memory.give_back()  # reading the tokenizer took twice the memory that it needs
    return model
