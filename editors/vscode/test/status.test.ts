import assert from "node:assert/strict";
import test from "node:test";

import { type Status, appearance } from "../src/ui/status";

const READY: Status = {
  server: { kind: "ready" },
  thinking: false,
  pause: undefined,
  isNextEditOn: false,
  nextEdit: undefined,
};

test("loading shows its progress", () => {
  const { text, label } = appearance({ ...READY, server: { kind: "loading", message: "reading", percentage: 40 } });
  assert.equal(text, "$(loading~spin) Midfill 40%");
  assert.equal(label, "Midfill: reading, 40%");
});

test("a problem comes before everything else, and is an error", () => {
  const shown = appearance({
    ...READY,
    server: { kind: "error", message: "no model" },
    thinking: true,
    pause: "file",
  });
  assert.equal(shown.label, "Midfill: no model");
  assert.equal(shown.isError, true);
  assert.equal(appearance(READY).isError, false);
});

test("a pause comes before thinking, and has its reason", () => {
  assert.match(appearance({ ...READY, thinking: true, pause: "language" }).label, /paused for this language/);
  assert.match(appearance({ ...READY, pause: "ghostTextOff" }).label, /editor\.inlineSuggest\.enabled/);
  assert.match(appearance({ ...READY, pause: "unsupported" }).label, /only files on disk/);
});

test("a pause does not hide that the server starts", () => {
  const shown = appearance({ ...READY, server: { kind: "starting" }, pause: "file" });
  assert.equal(shown.label, "Midfill: starting the server");
});

test("thinking and ready look different", () => {
  assert.equal(appearance(READY).label, "Midfill: ready");
  assert.equal(appearance({ ...READY, thinking: true }).label, "Midfill: thinking");
  assert.notEqual(appearance(READY).text, appearance({ ...READY, thinking: true }).text);
});

test("the tooltip says whether the next edit is on", () => {
  assert.equal(appearance(READY).tooltip, "Midfill: ready\nNext edit: off");
  assert.equal(appearance({ ...READY, isNextEditOn: true }).tooltip, "Midfill: ready\nNext edit: on");
});

test("an edit that is shown says how it is taken, but hides no problem", () => {
  const shown = { ...READY, isNextEditOn: true, nextEdit: "Tab: go here" };
  assert.equal(appearance(shown).label, "Midfill: next edit. Tab: go here");
  assert.equal(appearance({ ...shown, server: { kind: "error", message: "no model" } }).label, "Midfill: no model");
});
