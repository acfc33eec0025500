"""What the licences of models say of work for money, as far as Midfill has to know it.

Names are those of the Hugging Face hub's model cards (docs: "Licenses" of the hub's repositories), which GGUF files
repeat. This is no legal advice: it tells apart who has to read on.
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
"""What models are under whose cards say no more than "other"; GGUF conversions often say nothing."""
_INSTEAD = "`midfill pull` has Qwen2.5-Coder, under Apache-2.0"


@dataclass(frozen=True)
class Licence:
    """A licence, by the name it is known by, and whether work for money is allowed under it."""

    name: str
    commercial: Commercial
    terms: str = ""
    """In a few words, where that is not simply yes."""

    def __str__(self) -> str:
        return f"{self.name} ({self.terms})" if self.terms else self.name


def licence(name: str, model: str = "") -> Licence:
    """Return what is known of the licence that a source names, or else of the one that ``model`` is under."""
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
    """See to it that a model may be put to a use: "personal" or "commercial".

    Raises:
        LicenceRefused: it may not, or nobody knows.
    """
    found = licence(name, model)
    if use == "commercial" and found.commercial in ("no", "unknown"):
        raise LicenceRefused(
            f"{model} is not used, for the setting 'use' says commercial and its licence is {found}: take another"
            f" model ({_INSTEAD})."
        )


@dataclass(frozen=True)
class Permit:
    """What somebody who wants weights says of licences."""

    use: str = "personal"
    """Or "commercial"."""
    accepted: bool = False
    """Whether a licence that restricts commercial use was read and accepted."""

    def check(self, name: str, model: str) -> None:
        """See to it that a model may be fetched and converted.

        Raises:
            LicenceRefused: its licence does not allow the use, or wants to be accepted first.
        """
        require_use(name, model, self.use)
        found = licence(name, model)
        if found.commercial == "no" and not self.accepted:
            raise LicenceRefused(
                f"The licence of {model} is {found}: read it, and say --accept-license if you do, or take another"
                f" model ({_INSTEAD})."
            )
