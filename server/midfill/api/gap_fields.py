"""A request's fields for a gap, in each dialect."""

from __future__ import annotations

from dataclasses import replace

from midfill.api.fields import Fields
from midfill.api.fill import Gap
from midfill.api.fim_text import split_fim_text
from midfill.api.given_files import GivenFile
from midfill.api.sampling_fields import sampling_of
from midfill.inference.bundle import Manifest

MAX_STOPS = 64
_MAX_FILES = 256
_MAX_TOKENS = 2**31


def gap_in_completion(fields: Fields, manifest: Manifest) -> Gap | None:
    """Return the gap that a request for `/v1/completions` or `/completion` asks for; None if it continues its prompt.

    Raises:
        RequestError: a field is wrong.
    """
    prompt = fields.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str):
        prompt = prompt[0]  # a batch of one
    if not isinstance(prompt, str):
        return None
    prompt = fields.as_text("prompt", prompt)
    wanted = "n_predict" if fields.get("n_predict") is not None else "max_tokens"
    if fields.get("suffix") is not None:
        return _gap(fields, prompt, fields.text("suffix"), wanted, automatic=False)
    spelt = split_fim_text(prompt, manifest.fim_tokens)
    if spelt is None:
        return None
    gap = _gap(fields, spelt.prefix, spelt.suffix, wanted, automatic=True)
    return replace(gap, path=gap.path or spelt.path, files=[*spelt.files, *gap.files])


def gap_in_infill(fields: Fields) -> Gap:
    """Return the gap that a request for `/infill` asks for. Its ``prompt`` is the start of the cursor's line.

    Raises:
        RequestError: a field is wrong.
    """
    prefix = fields.text("input_prefix") + fields.text("prompt")
    return _gap(fields, prefix, fields.text("input_suffix"), "n_predict", automatic=True)


def _gap(fields: Fields, prefix: str, suffix: str, max_tokens: str, *, automatic: bool) -> Gap:
    """Return a gap. ``automatic`` is whether such a request comes while somebody types, unless it says so itself."""
    wanted = fields.whole(max_tokens, -1, -1, _MAX_TOKENS)
    return Gap(
        prefix=prefix,
        suffix=suffix,
        max_tokens=wanted if wanted > 0 else None,
        stops=fields.texts("stop", MAX_STOPS),
        sampling=sampling_of(fields),
        path=fields.text("path"),
        language=fields.text("language"),
        automatic=fields.flag("automatic", default=automatic),
        files=[
            GivenFile(each.text("filename"), each.text("text")) for each in fields.objects("input_extra", _MAX_FILES)
        ],
    )
