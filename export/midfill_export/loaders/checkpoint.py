"""A source as the user names it (GGUF file, checkpoint folder, hub id) -> a torch model and a tokenizer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import yaml
from huggingface_hub import ModelCard
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from midfill.common.errors import SourceError
from midfill.inference.bundle import WeightSource, hash_file
from midfill_export.build.verify import Sample
from midfill_export.loaders.gguf_file import is_gguf, open_gguf
from midfill_export.weights.known_models import WEIGHTS

_UNKNOWN = "unknown"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """Weights that transformers can load, with what is known about them."""

    location: str
    """What ``from_pretrained`` is given."""
    gguf_file: str | None
    name: str
    source: WeightSource

    def load_model(self) -> PreTrainedModel:
        """Load the weights in FP32; a GGUF is dequantised.

        Raises:
            SourceError: transformers cannot read them.
        """
        try:
            model = AutoModelForCausalLM.from_pretrained(
                self.location, gguf_file=self.gguf_file, dtype=torch.float32, low_cpu_mem_usage=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise SourceError(f"{self.location} cannot be loaded: {_first_line(error)}") from error
        return model.eval()

    def load_tokenizer(self) -> tuple[Tokenizer, str]:
        """Return the tokenizer and the chat template ("" for none).

        Raises:
            SourceError: there is no fast tokenizer.
        """
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.location, gguf_file=self.gguf_file)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SourceError(f"{self.location} has no tokenizer: {_first_line(error)}") from error
        if not tokenizer.is_fast:
            raise SourceError(f"{self.location} has no tokenizer.json, and none can be made from what it has.")
        backend: Tokenizer = tokenizer.backend_tokenizer
        if self.gguf_file is not None:
            # transformers forgets to register them as one piece; those it spells otherwise (Gemma's runs of blanks) are
            # in the vocabulary already, and would come out as new tokens, which the model has no embedding of
            tokens = open_gguf(Path(self.location) / self.gguf_file).control_tokens()
            known = [text for text in tokens if backend.token_to_id(text) is not None]
            backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in known])
        return backend, tokenizer.chat_template or ""


def torch_logits(model: PreTrainedModel, samples: Sequence[Sample]) -> list[NDArray[np.float32]]:
    """Return the reference's logits (answer, V) of each sample."""
    with torch.inference_mode():
        return [
            model(torch.tensor([sample.ids], device=model.device), logits_to_keep=len(sample.answer))
            .logits[0]
            .float()
            .cpu()
            .numpy()
            for sample in samples
        ]


def open_checkpoint(source: str) -> Checkpoint:
    """Recognise ``source``; nothing is loaded yet.

    Raises:
        SourceError: it is neither a file, nor a folder with a checkpoint, nor a hub id that can be reached.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return _open_gguf(path)
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise SourceError(f"{path} has no config.json: name a GGUF file or a transformers checkpoint folder.")
        card = path / "README.md"
        named = _card_license(card) if card.is_file() else _UNKNOWN
        return Checkpoint(
            str(path), None, path.name, WeightSource(repository=path.name, file="", sha256="", license=named)
        )
    if source.count("/") != 1 or path.suffix or source.startswith((".", "~", "/")):
        raise SourceError(f"{source} does not exist: name a GGUF file, a checkpoint folder or a hub id (owner/name).")
    try:
        config = AutoConfig.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise SourceError(f"{source} cannot be had from the hub: {_first_line(error)}") from error
    revision = getattr(config, "_commit_hash", None) or _UNKNOWN
    origin = WeightSource(repository=source, file="", sha256=revision, license=_card_license(source))
    return Checkpoint(source, None, source.split("/")[1], origin)


def _open_gguf(path: Path) -> Checkpoint:
    if not is_gguf(path):
        raise SourceError(f"{path} is not a GGUF file: name a GGUF file, a checkpoint folder or a hub id.")
    sha256 = hash_file(path)
    pinned = next((weights for weights in WEIGHTS.values() if weights.sha256 == sha256), None)
    if pinned is not None:
        origin, name = pinned.origin, pinned.title
    else:
        origin = WeightSource(repository=_UNKNOWN, file=path.name, sha256=sha256, license=_gguf_license(path))
        name = path.stem
    return Checkpoint(str(path.parent), path.name, name, origin)


def _gguf_license(path: Path) -> str:
    fields = open_gguf(path).fields
    return _more_telling(fields.get("general.license"), fields.get("general.license.name"))


def _card_license(card: Path | str) -> str:
    """Return what a model card, a file or one of the hub, says of the licence."""
    try:
        data = ModelCard.load(card).data
    except (OSError, ValueError, yaml.YAMLError) as error:  # no card, or one whose head is no YAML
        _log.warning("the model card cannot be read: %s", type(error).__name__)
        return _UNKNOWN
    return _more_telling(data.license, data.license_name)


def _more_telling(identifier: object, name: object) -> str:
    """Return a licence's own name where its identifier is "other", as cards have it."""
    if isinstance(name, str) and name and identifier in (None, "other"):
        return name
    return identifier if isinstance(identifier, str) and identifier else _UNKNOWN


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
