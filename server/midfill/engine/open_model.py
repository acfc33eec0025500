"""The one place that decides where a server's model is: in the engine process that servers share, or in this process.

A server that shares an engine never imports onnxruntime. So whatever imports it is imported here when it is needed.
"""

from __future__ import annotations

import logging
import sys

from midfill.common import memory
from midfill.common.errors import EngineUnavailable
from midfill.common.logs import PublicText
from midfill.engine.address import address_for, digest_of
from midfill.engine.engine_process import EngineProcess
from midfill.engine.shared_model import SharedModel
from midfill.engine.start import EngineSetup
from midfill.inference.bundle import load_bundle
from midfill.inference.bundle_versions import load_current
from midfill.inference.permission import require_permission
from midfill.inference.token_generator import LanguageModel, OnLoading
from midfill.inference.tokenizer import load_tokenizer
from midfill.settings.schema import Settings

CAN_SHARE = sys.platform != "win32"
"""Whether servers can share an engine on this system."""
_log = logging.getLogger(__name__)


def open_model(settings: Settings, on_loading: OnLoading = lambda *_: None) -> LanguageModel:
    """Return the model that ``settings`` name: in the engine process, or in this process if they or the system say so.

    Raises:
        BundleError: the bundle cannot be used.
        PolicyRefused: the administrators' policy forbids its model.
        ModelError: onnxruntime refuses its graph.
    """
    if settings.share_engine and CAN_SHARE:
        try:
            return load_current(settings.bundle, lambda: _shared(settings, on_loading))
        except EngineUnavailable as error:
            _log.warning("%s", PublicText(f"{error} This server loads the model itself."))
    return open_in_process(settings, on_loading)


def open_in_process(settings: Settings, on_loading: OnLoading = lambda *_: None) -> LanguageModel:
    """Load the model that ``settings`` name in this process: see ``midfill.inference.loaded_model.load_model``."""
    from midfill.inference.loaded_model import load_model

    return load_model(settings, on_loading)


def _shared(settings: Settings, on_loading: OnLoading) -> SharedModel:
    on_loading("checking the bundle", 0.0)
    bundle = load_bundle(settings.bundle)
    require_permission(bundle.manifest, settings)
    address = address_for(bundle.manifest, settings.threads)
    setup = EngineSetup(
        folder=str(address.folder),
        name=address.name,
        bundle=str(settings.bundle),
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
