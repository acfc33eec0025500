"""Load a torch model and its tokenizer from what the user names: a GGUF file, a checkpoint folder or a hub id."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml
from huggingface_hub import ModelCard
from tokenizers import AddedToken, Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from midfill.common.errors import SourceError
from midfill.inference.bundle import WeightSource
from midfill.inference.bundle_files import hash_file
from midfill_export.loaders.gguf_file import is_gguf, open_gguf
from midfill_export.loaders.gguf_origin import UNKNOWN, name_of_licence, unlisted_weights
from midfill_export.weights.known_models import WEIGHTS

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """Weights that transformers can load, with what is known about them."""

    location: str
    """The first argument of ``from_pretrained``: a folder or a hub id."""
    gguf_file: str | None
    """The file's name within the folder; None for a checkpoint that is not a GGUF."""
    name: str
    source: WeightSource

    def load_model(self) -> PreTrainedModel:
        """Load the weights in FP32; a GGUF is dequantized.

        Raises:
            SourceError: transformers cannot read them.
        """
        try:
            model = AutoModelForCausalLM.from_pretrained(
                self.location,
                gguf_file=self.gguf_file,
                dtype=torch.float32,
                low_cpu_mem_usage=True,
                trust_remote_code=False,  # otherwise transformers asks a user at a terminal whether to run it
            )
        except Exception as error:  # transformers checks little of a file before it uses it
            raise SourceError(f"{self.location} cannot be loaded: {_first_line(error)}") from error
        return model.eval()

    def load_tokenizer(self) -> tuple[Tokenizer, str]:
        """Return the tokenizer and the chat template ("" for none).

        Raises:
            SourceError: there is no fast tokenizer.
        """
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.location, gguf_file=self.gguf_file, trust_remote_code=False)
        except Exception as error:  # as above; the tokenizers' library raises plain Exception
            raise SourceError(f"{self.location} has no tokenizer: {_first_line(error)}") from error
        if not tokenizer.is_fast:
            raise SourceError(f"{self.location} has no tokenizer.json, and none can be made from its other files.")
        backend: Tokenizer = tokenizer.backend_tokenizer
        if self.gguf_file is not None:
            # transformers does not register all control tokens, so that some would be encoded in pieces. It spells
            # others differently (Gemma's runs of blanks). Added under the GGUF's spelling, those would become new
            # tokens, for which the model has no embedding.
            tokens = open_gguf(Path(self.location) / self.gguf_file).control_tokens()
            known = [text for text in tokens if backend.token_to_id(text) is not None]
            backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in known])
        return backend, tokenizer.chat_template or ""


def open_checkpoint(source: str) -> Checkpoint:
    """Find out what ``source`` is; no weights are loaded.

    Raises:
        SourceError: ``source`` is no GGUF file, no folder with a checkpoint, and no hub id that can be reached.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return _open_gguf(path)
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise SourceError(f"{path} has no config.json: name a GGUF file or a transformers checkpoint folder.")
        card = path / "README.md"
        named = _card_license(card) if card.is_file() else UNKNOWN
        return Checkpoint(
            str(path), None, path.name, WeightSource(repository=path.name, file="", sha256="", license=named)
        )
    if path.exists():
        raise SourceError(f"{path} is neither a file nor a folder: name a GGUF file or a checkpoint folder.")
    if source.count("/") != 1 or path.suffix or source.startswith((".", "~", "/")):
        raise SourceError(f"{source} does not exist: name a GGUF file, a checkpoint folder or a hub id (owner/name).")
    try:
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise SourceError(f"{source} cannot be downloaded from the hub: {_first_line(error)}") from error
    revision = getattr(config, "_commit_hash", None) or UNKNOWN
    origin = WeightSource(repository=source, file="", sha256=revision, license=_card_license(source))
    return Checkpoint(source, None, source.split("/")[1], origin)


def _open_gguf(path: Path) -> Checkpoint:
    if not is_gguf(path):
        raise SourceError(f"{path} is not a GGUF file: name a GGUF file, a checkpoint folder or a hub id.")
    gguf = open_gguf(path)
    sha256 = hash_file(path)
    pinned = next((weights for weights in WEIGHTS.values() if weights.sha256 == sha256), None)
    if pinned is not None:
        origin, name = pinned.origin, pinned.title
    else:
        unlisted = unlisted_weights(gguf, sha256)
        origin, name = unlisted.origin, unlisted.title
    return Checkpoint(str(path.parent), path.name, name, origin)


def _card_license(card: Path | str) -> str:
    """Return the licence that a model card names; ``card`` is a file or a hub id."""
    try:
        data = ModelCard.load(card).data
    except (OSError, ValueError, yaml.YAMLError) as error:  # no card, or its head is not YAML
        _log.warning("the model card cannot be read: %s", type(error).__name__)
        return UNKNOWN
    return name_of_licence(data.license, data.license_name)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
