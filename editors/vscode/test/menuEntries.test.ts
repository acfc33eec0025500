import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { type ActiveDocument, menuEntries } from "../src/ui/menuEntries";
import type { Problem } from "../src/ui/status";

const ACTIVE = { isSupported: true, isFilePaused: false, isLanguagePaused: false, isGhostTextOn: true };
const ALWAYS = menuEntries(undefined, undefined, false);

/** The labels of the entries above those that are always there, without their icons. */
function labels(problem: Problem | undefined, document: ActiveDocument): string[] {
  const entries = menuEntries(problem, document, false);
  assert.deepEqual(entries.slice(-ALWAYS.length), ALWAYS);
  return entries.slice(0, -ALWAYS.length).map(({ label }) => label.replace(/^\$\([\w-]+\) /, ""));
}

test("in a document, the file and its language can be paused", () => {
  assert.deepEqual(labels(undefined, { languageId: "python", pauses: ACTIVE }), [
    "Pause in this file",
    "Pause for python",
  ]);
});

test("what is paused can be resumed", () => {
  const pauses = { ...ACTIVE, isFilePaused: true, isLanguagePaused: true };
  assert.deepEqual(labels(undefined, { languageId: "go", pauses }), ["Resume in this file", "Resume for go"]);
});

test("where ghost text is off, turning it on comes first", () => {
  const pauses = { ...ACTIVE, isGhostTextOn: false };
  assert.equal(labels(undefined, { languageId: "go", pauses })[0], "Turn on ghost text");
});

test("a document that Midfill does not complete cannot be paused", () => {
  assert.deepEqual(labels(undefined, { languageId: "go", pauses: { ...ACTIVE, isSupported: false } }), []);
});

test("a problem comes first, with what may solve it", () => {
  const document = { languageId: "go", pauses: ACTIVE };
  assert.equal(labels({ kind: "missing", message: "none" }, document)[0], "Install the server");
  assert.deepEqual(labels({ kind: "error", message: "no model" }, document).slice(0, 2), [
    "What is wrong?",
    "Get a model…",
  ]);
});

test("the next edit is turned on, or off", () => {
  const [off] = menuEntries(undefined, undefined, false);
  const [on] = menuEntries(undefined, undefined, true);
  assert.match(off?.label ?? "", /Turn on the next edit/);
  assert.match(on?.label ?? "", /Turn off the next edit/);
  assert.equal(on?.command, "midfill.toggleNextEdit");
});

test("the extension's commands in the menu are those that package.json declares", () => {
  const { contributes } = JSON.parse(readFileSync("package.json", "utf-8")) as {
    contributes: { commands: { command: string }[] };
  };
  const declared = contributes.commands.map(({ command }) => command);
  const pauses = { ...ACTIVE, isGhostTextOn: false };
  const problems = [{ kind: "missing", message: "" } as const, { kind: "error", message: "" } as const];
  const used = problems
    .flatMap((problem) => menuEntries(problem, { languageId: "go", pauses }, false))
    .map(({ command }) => command)
    .filter((command) => command.startsWith("midfill."));
  assert.deepEqual(used.filter((command) => !declared.includes(command)), []);
  assert.ok(used.length > 0);
});
