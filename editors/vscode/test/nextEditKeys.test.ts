import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

interface Binding {
  readonly command: string;
  readonly key: string;
  readonly when: string;
}

const { contributes } = JSON.parse(readFileSync("package.json", "utf-8")) as {
  contributes: { keybindings: Binding[] };
};

/** The conditions of the keys of the next edit. */
function conditions(key: string): string[][] {
  const bindings = contributes.keybindings.filter((one) => one.key === key && one.command.endsWith("NextEdit"));
  assert.ok(bindings.length > 0);
  return bindings.map(({ when }) => when.split(" && "));
}

test("Tab and Escape keep their meaning while no edit is shown", () => {
  for (const when of [...conditions("tab"), ...conditions("escape")]) {
    assert.ok(when[0]?.startsWith("midfill.nextEdit == "));
    assert.ok(when.includes("editorTextFocus"));
  }
});

test("snippets, the list of completions and a selection come before the edit", () => {
  const first = ["!suggestWidgetVisible", "!inSnippetMode", "!editorHasSelection", "!editorHasMultipleSelections"];
  for (const when of [...conditions("tab"), ...conditions("escape")]) {
    assert.deepEqual(first.filter((context) => !when.includes(context)), []);
  }
});

test("ghost text comes before an edit that is drawn", () => {
  for (const when of [...conditions("tab"), ...conditions("escape")].filter(([first]) => first?.endsWith("drawn"))) {
    assert.ok(when.includes("!inlineSuggestionVisible"));
  }
});
