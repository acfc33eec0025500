"""What the Neovim plug-in makes of predicted edits: text, drawing, what is left when one types; without a server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from editors.conftest import launcher
from editors.neovims import PLUGIN, VERSIONS

Place = tuple[int, int]
"""A line from 0, and a column in UTF-16."""

SCRIPT = """
vim.opt.runtimepath:prepend(_G.arg[1])
local drawing = require("midfill.next_edit.drawing")
local Prediction = require("midfill.next_edit.prediction")
local results = {}
for name, case in pairs(vim.json.decode(table.concat(vim.fn.readfile(_G.arg[2]), "\\n"))) do
  local bufnr = vim.api.nvim_create_buf(true, false)
  vim.api.nvim_buf_set_name(bufnr, "/" .. name)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, case.lines)
  vim.lsp.util.buf_versions[bufnr] = 1
  local item = { textDocument = { uri = vim.uri_from_bufnr(bufnr), version = case.version }, changes = case.changes }
  item.range = { start = case.changes[1].range.start, ["end"] = case.changes[#case.changes].range["end"] }
  local prediction = Prediction.new({ offset_encoding = "utf-16" }, item)
  local result = { offered = prediction ~= nil, drawn = {} }
  if case.typed then
    local row, col, end_row, end_col, text = unpack(case.typed)
    vim.api.nvim_buf_set_text(bufnr, row, col, end_row, end_col, { text })
    vim.lsp.util.buf_versions[bufnr] = 2
  end
  if prediction and prediction:follow() then
    drawing.draw(prediction)
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(bufnr, -1, 0, -1, { details = true })) do
      local details = mark[4]
      local new = details.virt_text and details.virt_text[1][1]
      for _, line in ipairs(details.virt_lines or {}) do
        new = (new or "") .. line[1][1] .. "|"
      end
      table.insert(result.drawn, { mark[2], mark[3], new or ("-%d:%d"):format(details.end_row, details.end_col) })
    end
    result.cursor = { prediction:apply() }
  end
  result.lines = vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
  results[name] = result
end
io.stdout:write(vim.json.encode(results))
"""


class Case(NamedTuple):
    """A document, an edit of it, and what is expected of it."""

    lines: list[str]
    changes: list[tuple[Place, Place, str]]
    after: list[str]
    """The document once the edit was applied; as it is if the edit is not for it."""
    drawn: list[list[Any]]
    """Line, byte, and the new text there, or where the old text that is highlighted ends."""
    cursor: list[int]
    """Where the cursor goes; [] if nothing is applied."""
    typed: tuple[int, int, int, int, str] | None = None
    """What is typed first: the range that is replaced, in bytes, and the text."""
    version: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return what the script takes."""
        changes = [
            {"range": {"start": _position(start), "end": _position(end)}, "newText": text}
            for start, end, text in self.changes
        ]
        typed = {} if self.typed is None else {"typed": self.typed}
        return {"lines": self.lines, "changes": changes, "version": self.version, **typed}


TWO_USES = [((0, 4), (0, 5), "radius"), ((1, 4), (1, 5), "radius")]
USES = ["x = r", "y = r"]
CASES = {
    "two words": Case(
        USES,
        TWO_USES,
        ["x = radius", "y = radius"],
        [[0, 4, "-0:5"], [0, 5, "radius"], [1, 4, "-1:5"], [1, 5, "radius"]],
        [1, 10],
    ),
    "the second one is half typed": Case(
        USES,
        TWO_USES,
        ["x = radius", "y = radius"],
        [[0, 4, "-0:5"], [0, 5, "radius"], [1, 7, "ius"]],
        [1, 10],
        typed=(1, 4, 1, 5, "rad"),
    ),
    "the first one is all typed": Case(
        USES,
        TWO_USES,
        ["x = radius", "y = radius"],
        [[1, 4, "-1:5"], [1, 5, "radius"]],
        [1, 10],
        typed=(0, 4, 0, 5, "radius"),
    ),
    "something else is typed": Case(USES, TWO_USES, ["x = q", "y = r"], [], [], typed=(0, 4, 0, 5, "q")),
    "something is typed elsewhere": Case([*USES, "z"], TWO_USES, [*USES, "w"], [], [], typed=(2, 0, 2, 1, "w")),
    "another version": Case(USES, TWO_USES, USES, [], [], version=7),
    "behind a character of two halves": Case(
        ['s = "\U0001f600" + r'],
        [((0, 11), (0, 12), "radius")],
        ['s = "\U0001f600" + radius'],
        [[0, 13, "-0:14"], [0, 14, "radius"]],
        [0, 19],
    ),
    "lines are inserted": Case(
        ["a", "b"], [((0, 1), (0, 1), "\n\tx\n\ty")], ["a", "\tx", "\ty", "b"], [[0, 0, "        x|        y|"]], [2, 2]
    ),
    "lines are inserted above all": Case(["a"], [((0, 0), (0, 0), "x\n")], ["x", "a"], [[0, 0, "x|"]], [1, 0]),
    "lines are added below all": Case(["a"], [((1, 0), (1, 0), "x\n")], ["a", "x"], [[0, 0, "x|"]], [1, 1]),
    "the last lines are removed": Case(
        ["a", "b", "c"], [((1, 0), (3, 0), "")], ["a"], [[1, 0, "-2:0"], [2, 0, "-3:0"]], [0, 1]
    ),
    "lines are replaced": Case(
        ["a", "b", "c"],
        [((0, 0), (1, 1), "x\ny\nz")],
        ["x", "y", "z", "c"],
        [[0, 0, "-1:0"], [1, 0, "-2:0"], [1, 0, "x|y|z|"]],
        [2, 1],
    ),
    "a line is split beside a word": Case(
        ["f(a, b)"],
        [((0, 2), (0, 2), "\n  "), ((0, 5), (0, 6), "c")],
        ["f(", "  a, c)"],
        [[0, 0, "-1:0"], [0, 0, "f(|  a, c)|"]],
        [1, 6],
    ),
}


@pytest.fixture(scope="module", params=VERSIONS)
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what each Neovim in turn makes of all cases."""
    folder = tmp_path_factory.mktemp(request.param)
    script, cases = folder / "cases.lua", folder / "cases.json"
    script.write_text(SCRIPT)
    cases.write_text(json.dumps({name: case.as_json() for name, case in CASES.items()}))
    command: list[str | Path] = [launcher(request.param), "--clean", "-n", "-i", "NONE", "-l", script, PLUGIN, cases]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("name", CASES)
def test_edit(results: dict[str, Any], name: str) -> None:
    """An edit is drawn as it is, changes just what it says, and is nothing where the text is not the one it is for."""
    case, result = CASES[name], results[name]
    assert result["lines"] == case.after
    assert sorted(map(str, result["drawn"])) == sorted(map(str, case.drawn))
    assert (result.get("cursor") or []) == case.cursor


def _position(place: Place) -> dict[str, int]:
    return {"line": place[0], "character": place[1]}
