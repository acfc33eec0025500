"""Gaps: what the model sees of a request, and what the client inserts."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from midfill.api.document_names import DocumentNames
from midfill.api.fill import Gap, GapFiller
from midfill.api.fim_text import FimText, split_fim_text
from midfill.api.given_files import GivenFile, GivenFiles
from midfill.api.model_worker import ModelWorker
from midfill.common.cancel import CancelFlag
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import CompletionEngine
from midfill.completion.types import Completion, Request
from midfill.inference.kv_cache import KvCache
from midfill.outcomes.journal import journal_file, read_verdicts
from midfill.settings.live import LiveSettings
from unit.api.serving import opening, serving, settings_for
from unit.helpers import MarkovModel, chain_graph, loaded_model, manifest, model_tokenizer, write_bundle

TOKENS = {"prefix": "<P>", "suffix": "<S>", "middle": "<M>", "repository": "<R>", "file": "<F>"}


class SeenModel(MarkovModel):
    """A model that ends at once, and notes the text of all that it was given."""

    def __init__(self) -> None:
        size = manifest().vocabulary
        table = np.zeros((size, size), np.float32)
        table[:, manifest().stop_tokens[0]] = 1.0
        super().__init__(table)
        self.ids: list[int] = []

    def step(self, ids: Any, cache: KvCache, rows: int, cancel: CancelFlag) -> Any:
        """Note the tokens."""
        self.ids.extend(ids)
        return super().step(ids, cache, rows, cancel)

    @property
    def text(self) -> str:
        """What was seen."""
        return model_tokenizer().spell(self.ids)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions", {"prompt": 'key = "{}"\nx = ', "suffix": "\n"}),
        ("/v1/completions", {"prompt": "x = 1\n", "suffix": '\nkey = "{}"\n'}),
        ("/v1/completions", {"prompt": 'key = "{}"\nx = ', "max_tokens": 2}),
        ("/v1/completions", {"prompt": 'key = "{}"\n<|fim_prefix|>x = <|fim_suffix|>\n<|fim_middle|>'}),
        ("/v1/completions", {"prompt": '<|fim_prefix|>key = "{}"\nx = <|fim_suffix|>\n<|fim_middle|>'}),
        ("/completion", {"prompt": 'key = "{}"\nx = ', "n_predict": 2}),
        ("/infill", {"input_prefix": 'key = "{}"\n', "prompt": "x = ", "input_suffix": "\n"}),
        ("/infill", {"input_prefix": "x = ", "input_extra": [{"filename": "a.py", "text": 'key = "{}"\n'}]}),
        ("/infill", {"n_predict": 0, "input_extra": [{"filename": "a.py", "text": 'key = "{}"\n'}]}),
    ],
)
async def test_secrets_never_reach_the_model(bundle: Path, path: str, body: dict[str, Any]) -> None:
    """In no text that a client sends."""
    secret = "ghp_" + secrets.token_hex(18)
    model = SeenModel()
    async with serving(settings_for(bundle), opening(model)) as client:
        answer = await client.post(path, json=_with(body, secret))
    assert answer.status_code == 200
    assert "key = " in model.text
    assert secret not in model.text


def _with(value: Any, secret: str) -> Any:
    """Put the secret into the texts of a request."""
    if isinstance(value, dict):
        return {name: _with(each, secret) for name, each in value.items()}
    if isinstance(value, list):
        return [_with(each, secret) for each in value]
    return value.replace("{}", secret) if isinstance(value, str) else value


async def test_control_tokens_in_code_stay_text(bundle: Path) -> None:
    """The prompt has one token for the gap: its own."""
    model = SeenModel()
    async with serving(settings_for(bundle), opening(model)) as client:
        await client.post("/infill", json={"input_prefix": "a = '<|fim_middle|>'\nb = ", "input_suffix": "\n"})
    assert model.ids.count(manifest().fim.middle) == 1


async def test_files_of_the_request_are_in_the_prompt(bundle: Path, tmp_path: Path) -> None:
    """But for those that ignore rules exclude: by name, or by the rules of their own repository."""
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / ".gitignore").write_text("private/\n")
    files = [
        {"filename": ".env", "text": "first = 1\n"},
        {"filename": "deep/server.pem", "text": "second = 2\n"},
        {"filename": str(tmp_path / "repo" / "private" / "a.py"), "text": "third = 3\n"},
        {"filename": "generated/a.py", "text": "fourth = 4\n"},
        {"filename": str(tmp_path / "repo" / "a.py"), "text": "fifth = 5\n"},
        {"filename": "b.py", "text": "sixth = 6\n"},
        {"text": "seventh = 7\n"},
    ]
    model = SeenModel()
    async with serving(settings_for(bundle, exclude=("generated/",)), opening(model)) as client:
        await client.post("/infill", json={"input_prefix": "x = ", "input_suffix": "\n", "input_extra": files})
    seen = [word for word in ("first", "second", "third", "fourth", "fifth", "sixth", "seventh") if word in model.text]
    assert seen == ["fifth", "sixth", "seventh"]


async def test_excluded_document_is_not_read(bundle: Path) -> None:
    """If the client names it."""
    model = SeenModel()
    async with serving(settings_for(bundle), opening(model)) as client:
        body = {"path": "deploy/.env", "input_prefix": "a = ", "input_suffix": "\n"}
        answer = await client.post("/infill", json=body)
    assert answer.json()["midfill_reason"] == "excluded"
    assert model.ids == []


async def test_newest_files_count_most() -> None:
    """Where there is no room for all, the first ones are left out."""
    given = GivenFiles(())
    given.files = [GivenFile(f"{number}.py", "x" * 40) for number in range(10)]
    found = given.snippets_at("a.py", "", 0, "", budget=100, window=0)
    assert [snippet.path for snippet in found.snippets] == ["8.py", "9.py"]
    given.close()


async def test_reason_is_told_and_noted(bundle: Path) -> None:
    """To the client, and in the journal for `midfill why`, which has no text."""
    async with serving(settings_for(bundle), opening(SeenModel())) as client:
        answer = (await client.post("/v1/completions", json={"prompt": "SENTINEL = ", "suffix": "\n"})).json()
    assert answer["choices"][0]["text"] == ""
    assert answer["choices"][0]["midfill_reason"] == "blank"
    (verdict,) = read_verdicts(journal_file(), 1)
    assert verdict.reason == "blank"
    assert "SENTINEL" not in journal_file().read_text(encoding="utf-8")


async def test_settings_silence_a_client_that_asks_while_somebody_types(tmp_path: Path) -> None:
    """As in an editor; a request that is invoked is answered."""
    bundle = write_bundle(tmp_path / "bundle", graph=chain_graph("return left", anywhere=True)).path
    async with serving(settings_for(bundle, enabled=False)) as client:
        body = {"input_prefix": "def f(left):\n    ", "input_suffix": "\n"}
        typed = (await client.post("/infill", json=body)).json()
        invoked = (await client.post("/infill", json={**body, "automatic": False})).json()
    assert (typed["content"], typed["midfill_reason"]) == ("", "disabled")
    assert (invoked["content"], invoked["midfill_reason"]) == ("return left", None)


@pytest.mark.parametrize(
    ("said", "suffix", "replaces", "expected"),
    [
        ("left", "\n", 0, ("left", "")),
        ("left)", ")\n", 1, ("left", "")),
        ("return left", "urn\n", 3, ("", "replaces")),
    ],
)
async def test_text_that_replaces_others_becomes_an_insertion(
    said: str, suffix: str, replaces: int, expected: tuple[str, str]
) -> None:
    """A client of HTTP can only insert."""

    class Says(CompletionEngine):
        """An engine that says ``said`` in place of some characters right of the cursor."""

        def complete(self, request: Request, cancel: CancelFlag, cache: CompletionCache | None = None) -> Completion:
            return Completion(text=said, start=request.offset, end=request.offset + replaces)

    settings = LiveSettings(settings_for(Path("unused"), journal=False))
    worker = ModelWorker(settings, lambda live, _: Says(loaded_model(SeenModel()), live))
    filler = GapFiller(worker, settings)
    done = await filler.fill(Gap(prefix="ret", suffix=suffix))
    assert (done.text, done.reason) == expected
    filler.close()
    worker.close()


async def test_text_ends_before_a_stop_text(tmp_path: Path) -> None:
    """As the client asked."""
    bundle = write_bundle(tmp_path / "other", graph=chain_graph("return left", anywhere=True)).path
    async with serving(settings_for(bundle)) as client:
        body = {"prompt": "def f(left):\n    ", "suffix": "\n", "stop": ["xx", " l"]}
        choice = (await client.post("/v1/completions", json=body)).json()["choices"][0]
    assert (choice["text"], choice["stop_reason"], choice["finish_reason"]) == ("return", " l", "stop")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("<P>a<S>b<M>", FimText("a", "b")),
        ("<P><S>b<M>a", FimText("a", "b")),
        ("<P>a<S>b<M>c", FimText("ac", "b")),
        ("<P>a<S><M>", FimText("a", "")),
        ("<P>a<S>b<S>c<M>", FimText("a", "b<S>c")),
        ("<P>a<S>b<M>c<M>", FimText("a", "b<M>c")),
        ("<R>name\n<F>x.py\nx = 1\n<F>a.py\n<P>a<S>b<M>", FimText("a", "b", "a.py", (GivenFile("x.py", "x = 1\n"),))),
        ("<F>x.py\nx = 1\n<P>a<S>b<M>", FimText("a", "b", "", (GivenFile("x.py", "x = 1\n"),))),
        ("Context:\nx = 1\n<P>a<S>b<M>", FimText("a", "b", "", (GivenFile("", "Context:\nx = 1\n"),))),
        ("<R>name\n<P>a<S>b<M>", FimText("a", "b")),
        ("tokens = '<P>', '<S>', '<M>'\n", None),
        ("<P>a<S>b", None),
        ("<P>a<M>", None),
        ("a<S>b<M>", None),
        ("", None),
    ],
)
def test_fim_text_is_taken_apart(prompt: str, expected: FimText | None) -> None:
    """In both orders, with other files before it; what only mentions the tokens is none."""
    assert split_fim_text(prompt, TOKENS) == expected
    assert split_fim_text(prompt, {}) is None


def test_document_keeps_its_name() -> None:
    """For as long as it begins alike, and the oldest names are forgotten."""
    names = DocumentNames()
    first, _ = names.name("import a\n" * 100)
    again, _ = names.name("import a\n" * 100 + "x = 1")
    other, _ = names.name("import b\n")
    assert (first == again, first == other) == (True, False)
    forgotten = [names.name(f"{number}")[1] for number in range(40)]
    assert first in forgotten
    assert other in forgotten
