"""A small HTTP server that serves a small model over real sockets, as vLLM does and as llama-server does.

It is truthful: its tokens and log-probabilities are those of the model, and it heeds what the requests ask for. A test
tells it to misbehave in one way.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midfill.inference.tokenizer import ModelTokenizer
from unit.helpers import model_tokenizer

Row = NDArray[np.float64]


@dataclass
class ModelServer:
    """What the server serves, and what it was asked."""

    table: NDArray[np.float32]
    """The logits (V, V) after each token."""
    kind: str = "vllm"
    """Either "vllm" or "llama-server"."""
    key: str = ""
    """The key that it wants; "" for none."""
    fault: str = ""
    """How it misbehaves: see :meth:`Handler.do_POST`."""
    name: str = "tiny"
    context: int = 1024
    heeds_allowed: bool = True
    tokenizer: ModelTokenizer = field(default_factory=model_tokenizer)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The path and the body of each POST."""
    headers: list[dict[str, str]] = field(default_factory=list)
    cut: threading.Event = field(default_factory=threading.Event)
    """Set when a client has closed its connection before the end."""
    go_on: threading.Event = field(default_factory=threading.Event)
    """What a server waits for that has the fault "waits"."""
    connections: list[socket.socket] = field(default_factory=list)
    url: str = ""
    stop: Callable[[], None] = lambda: None

    def prompts(self) -> list[list[int]]:
        """Return the prompts of all requests for tokens."""
        return [body["prompt"] for path, body in self.requests if path.endswith(("completions", "completion"))]

    def tokens(self, prompt: Sequence[int], allowed: Sequence[int] | None, penalty: float) -> Iterator[tuple[int, Row]]:
        """Yield each token with the log-probabilities of all; the first one is of those ``allowed``.

        A ``penalty`` other than 1 spoils the choice, as vLLM's default from a model's file would.
        """
        last = prompt[-1]
        while True:
            logits = self.table[last].astype(np.float64) / penalty
            row = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
            ids = list(range(len(row))) if allowed is None else list(allowed)
            last = max(ids, key=lambda token: (row[token], -token)) if penalty == 1.0 else 0
            allowed = None
            yield last, row


def best(row: Row, count: int) -> list[int]:
    """Return the ids of the likeliest tokens, the likeliest first."""
    return [int(token) for token in np.argsort(-row, kind="stable")[:count]]


class Handler(BaseHTTPRequestHandler):
    """Answers requests; its server has the model."""

    protocol_version = "HTTP/1.1"
    served: ModelServer

    def setup(self) -> None:
        super().setup()
        self.served.connections.append(self.connection)

    def do_GET(self) -> None:
        if self._is_refused():
            return
        owner = "llamacpp" if self.served.kind == "llama-server" else "vllm"
        entry = {"id": self.served.name, "owned_by": owner, "max_model_len": self.served.context}
        answers: dict[str, dict[str, Any]] = {"/v1/models": {"data": [entry]}}
        if self.served.kind == "llama-server":
            answers["/props"] = {"default_generation_settings": {"n_ctx": self.served.context}}
        answer = answers.get(self.path)
        self._answer(200 if answer else 404, answer or {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.served.requests.append((self.path, body))
        self.served.headers.append(dict(self.headers))
        if self._is_refused():
            return
        if self.path == "/tokenize":
            text = body.get("prompt", body.get("content"))
            self._answer(200, {"tokens": self.served.tokenizer.encode(text)})
        elif self.served.fault == "status 503":
            self._answer(503, {"error": {"message": "\x1b[2Jbusy " + json.dumps(body["prompt"])}})
        elif self.served.fault == "redirects":
            self.send_response(307)
            self.send_header("Location", "http://elsewhere.invalid/v1/completions")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/v1/completions":
            self._completions(body)
        else:
            self._completion(body)

    def _completions(self, body: dict[str, Any]) -> None:
        if "prompt_logprobs" in body:
            places = [None, *map(self._place, body["prompt"], body["prompt"][1:])]
            self._answer(200, {"choices": [{"text": "", "prompt_logprobs": places}]})
            return
        allowed = body.get("allowed_token_ids") if self.served.heeds_allowed else None
        assert allowed is None or body["max_tokens"] == 1
        penalty = body.get("repetition_penalty", 1.1)

        def generate() -> Iterator[dict[str, Any]]:
            for number, (token, row) in enumerate(self.served.tokens(body["prompt"], allowed, penalty), start=1):
                named = {f"token_id:{t}": float(row[t]) for t in {*best(row, body["logprobs"]), token}}
                is_stop = token in body["stop_token_ids"]
                is_last = is_stop or number == body["max_tokens"]
                logprobs = {
                    "tokens": [f"token_id:{token}"],
                    "token_logprobs": [float(row[token])],
                    "top_logprobs": [named],
                }
                finish = ("stop" if is_stop else "length") if is_last else None
                text = "" if is_stop else self.served.tokenizer.spell([token])
                yield {"choices": [{"text": text, "logprobs": logprobs, "finish_reason": finish}]}
                if is_last:
                    return

        self._stream(generate(), b"data: [DONE]\n\n")

    def _place(self, before: int, token: int) -> dict[str, Any]:
        _, row = next(self.served.tokens([before], None, 1.0))
        return {str(t): {"logprob": float(row[t]), "rank": 1} for t in {token, *best(row, 1)}}

    def _completion(self, body: dict[str, Any]) -> None:
        allowed = None
        if "grammar" in body:
            head, tail = "root ::= ", " .*"
            assert body["grammar"].startswith(head)
            assert body["grammar"].endswith(tail)
            text = json.loads(body["grammar"].removeprefix(head).removesuffix(tail))
            allowed = [int(token) for token in self.served.tokenizer.vocabulary.spelling(text)]

        def generate() -> Iterator[dict[str, Any]]:
            for number, (token, row) in enumerate(self.served.tokens(body["prompt"], allowed, 1.0), start=1):
                if token in self.served.tokenizer.stop_tokens:
                    break
                named = [{"id": t, "logprob": float(row[t])} for t in best(row, body["n_probs"])]
                place = {"id": token, "logprob": float(row[token]), "top_logprobs": named}
                content = self.served.tokenizer.spell([token])
                yield {"content": content, "tokens": [token], "stop": False, "completion_probabilities": [place]}
                if number == body["n_predict"]:
                    break
            yield {"content": "", "stop": True, "tokens": []}

        if body["stream"]:
            self._stream(generate(), b"")
        else:
            first = next(generate())
            self._answer(200, first)

    def _stream(self, events: Iterator[dict[str, Any]], farewell: bytes) -> None:
        fault = self.served.fault
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for number, event in enumerate(events):
                if fault == "waits" or (fault == "stalls" and number == 2):
                    self.served.go_on.wait(20)
                if fault == "breaks off" and number == 2:
                    self.close_connection = True
                    return
                self._chunk(self._spoilt(event))
                while fault == "never ends":
                    self._chunk(b": still here\n\n" * 1000)
            self._chunk(farewell)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.served.cut.set()
            self.close_connection = True

    def _spoilt(self, event: dict[str, Any]) -> bytes:
        fault = self.served.fault
        if fault == "no JSON":
            return b"data: {nothing\n\n"
        if fault == "a page":
            return b"<html><body>Welcome</body></html>\n\n"
        if fault == "nested":
            return b"data: " + b"[" * 40_000 + b"\n\n"
        if fault == "texts":
            event["choices"][0]["logprobs"]["tokens"] = ["def"]
        if fault == "foreign":
            event["choices"][0]["logprobs"]["tokens"] = ["token_id:999999"]
        if fault == "NaN":
            event["choices"][0]["logprobs"]["token_logprobs"] = [float("nan")]
        if fault == "repeats":
            return f"data: {json.dumps(event)}\n\n".encode() * 1000
        return f"data: {json.dumps(event)}\r\n\r\n".encode()

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

    def _is_refused(self) -> bool:
        wanted = f"Bearer {self.served.key}" if self.served.key else None
        if wanted is None or self.headers.get("Authorization") == wanted:
            return False
        self._answer(401, {"error": "Unauthorized"})
        return True

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Keep quiet about clients that went away."""


@contextmanager
def serving(served: ModelServer, context: ssl.SSLContext | None = None) -> Iterator[ModelServer]:
    """Serve over loopback for as long as the block lasts, or until ``served.stop`` is called."""
    handler = type("ServedHandler", (Handler,), {"served": served})
    server = _Quiet(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()

    def stop() -> None:
        served.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
        for connection in served.connections:
            with suppress(OSError):  # it has ended already
                connection.shutdown(socket.SHUT_RDWR)

    served.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
    served.stop = stop
    try:
        yield served
    finally:
        with suppress(OSError):
            stop()
