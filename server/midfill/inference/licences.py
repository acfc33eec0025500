"""Which licences of models allow commercial use.

The names are those of the model cards on the Hugging Face hub (documented as "Licenses" of its repositories). GGUF
files use them too. This is not legal advice; it only finds the models whose licence a user must read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from midfill.common.errors import LicenceRefused

Commercial = Literal["yes", "on terms", "no", "unknown"]

_FREE = {
    "apache-2.0", "mit", "mit-0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "isc", "cc0-1.0", "unlicense",
    "afl-3.0", "artistic-2.0", "mpl-2.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
    "cc-by-sa-4.0", "wtfpl", "zlib",
}  # fmt: skip
_ON_TERMS = {
    "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "gemma", "openrail", "openrail++", "bigscience-openrail-m",
    "bigscience-bloom-rail-1.0", "bigcode-openrail-m", "creativeml-openrail-m", "deepseek",
}  # fmt: skip
_NOT_FREELY = {
    "stabilityai-community": "Stability AI's: personal use and research; work needs their membership",
    "stabilityai-nc-research-community": "Stability AI's: research only",
    "stabilityai-ai-community": "Stability AI's: personal use and research; work needs their terms",
    "mnpl": "Mistral's: no production",
    "qwen-research": "Qwen's: research only",
    "cc-by-nc-2.0": "Creative Commons, no commercial use",
    "cc-by-nc-3.0": "Creative Commons, no commercial use",
    "cc-by-nc-4.0": "Creative Commons, no commercial use",
    "cc-by-nc-nd-4.0": "Creative Commons, no commercial use",
    "cc-by-nc-sa-4.0": "Creative Commons, no commercial use",
}
_UNNAMED = ("other", "unknown", "")
_BY_MODEL = {
    "stable-code": "stabilityai-community",
    "stablelm-zephyr": "stabilityai-community",
    "stablelm-2": "stabilityai-community",
    "stablelm-3b-4e1t": "cc-by-sa-4.0",
    "stablecode-completion-alpha": "apache-2.0",
    "codestral": "mnpl",
}
"""The licences of models whose cards say only "other". The keys are beginnings of model names. GGUF conversions often
name no licence."""
_INSTEAD = "Qwen2.5-Coder 0.5B, 1.5B and 7B are under Apache-2.0, and `midfill pull auto` takes the best that fits"


@dataclass(frozen=True)
class Licence:
    """A licence, and whether it allows commercial use."""

    name: str
    commercial: Commercial
    terms: str = ""
    """The reason in a few words if ``commercial`` is not "yes"."""

    def __str__(self) -> str:
        return f"{self.name} ({self.terms})" if self.terms else self.name


def licence(name: str, model: str = "") -> Licence:
    """Return what is known about the licence ``name``. If that says nothing, the name of ``model`` may tell more."""
    known = name.strip().lower()
    if known in _UNNAMED:
        family = next((start for start in _BY_MODEL if model.lower().rpartition("/")[2].startswith(start)), "")
        if not family:
            return Licence(name or "unknown", "unknown", "its source does not say which; look it up")
        name = known = _BY_MODEL[family]
    if known in _FREE:
        return Licence(name, "yes")
    if known in _ON_TERMS:
        return Licence(name, "on terms", "commercial use is allowed on its terms")
    for start, terms in _NOT_FREELY.items():
        if known == start or known.startswith(f"{start}-"):
            return Licence(name, "no", terms)
    if "-nc-" in known or known.endswith("-nc") or "research" in known or "non-commercial" in known:
        return Licence(name, "no", "by its name, not for commercial use")
    return Licence(name, "unknown", "Midfill does not know it; read it")


def require_use(name: str, model: str, use: str) -> None:
    """Check that the licence ``name`` of ``model`` allows ``use``, which is "personal" or "commercial".

    Raises:
        LicenceRefused: it does not, or that is not known.
    """
    found = licence(name, model)
    if use == "commercial" and found.commercial in ("no", "unknown"):
        raise LicenceRefused(
            f"{model} is refused, because the setting 'use' says commercial and its licence is {found}: use another"
            f" model ({_INSTEAD})."
        )


@dataclass(frozen=True)
class Permit:
    """What a user who downloads weights has said about licences."""

    use: str = "personal"
    """Either "personal" or "commercial"."""
    accepted: bool = False
    """Whether the user has read and accepted a licence that restricts commercial use."""

    def check(self, name: str, model: str) -> None:
        """Check that ``model`` may be downloaded and converted under the licence ``name``.

        Raises:
            LicenceRefused: the licence does not allow the use, or the user must accept it first.
        """
        require_use(name, model, self.use)
        found = licence(name, model)
        if found.commercial == "no" and not self.accepted:
            raise LicenceRefused(
                f"The licence of {model} is {found}: read it and add --accept-license if you accept it, or use another"
                f" model ({_INSTEAD})."
            )
