"""What the benchmark asks of llama-server, answered from a script; run as a program by the tests.

usage: fake_llama_server.py -m MODEL ... --port PORT

A model file that holds "break" makes it end at once. What it writes is the text of the model file, a token a letter.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Answers as llama-server does, with made-up timings: 2 ms a token read, 10 ms a token written."""

    says = ""

    def do_GET(self) -> None:
        self._answer({"build_info": "b1-fake", "status": "ok"})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/completion":
            self._answer({"content": "x", "timings": timings(len(asked["prompt"]), asked["n_predict"])})
            return
        self.send_response(200)
        self.end_headers()
        prompt = len(asked["input_prefix"]) + len(asked["input_suffix"])
        try:
            for number, letter in enumerate(self.says[: asked["n_predict"]], start=1):
                self._event({"content": letter, "timings": timings(prompt, number)})
                if letter == "…":  # for ever, until somebody hangs up
                    while True:
                        self._event({"content": ""})
                        time.sleep(0.01)
        except OSError:
            return

    def _event(self, event: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def _answer(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def timings(prompt: int, predicted: int) -> dict[str, float]:
    """Make the timings of so many tokens read and written."""
    return {
        "prompt_n": prompt,
        "prompt_ms": 2.0 * prompt,
        "predicted_n": predicted,
        "predicted_ms": 10.0 * (predicted - 1),
    }


def main(arguments: list[str]) -> int:
    """Serve until killed."""
    options = dict(zip(arguments[::2], arguments[1::2], strict=True))
    Handler.says = Path(options["-m"]).read_text(encoding="utf-8")
    if Handler.says == "break":
        sys.stderr.write("the model is broken\n")
        return 3
    ThreadingHTTPServer((options["--host"], int(options["--port"])), Handler).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
