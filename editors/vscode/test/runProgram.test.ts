import assert from "node:assert/strict";
import test from "node:test";

import { ProgramError, runProgram } from "../src/common/runProgram";

function node(script: string, options: Parameters<typeof runProgram>[2] = {}): Promise<string[]> {
  return runProgram(process.execPath, ["-e", script], options);
}

test("all lines are reported, and those of standard output are returned", async () => {
  const lines: string[] = [];
  const script = "console.log('one'); console.error('aside'); console.log('two')";
  const output = await node(script, { onLine: (line) => lines.push(line) });
  assert.deepEqual(output, ["one", "two"]);
  assert.deepEqual(lines.sort(), ["aside", "one", "two"]);
});

test("the error of a program that fails has its code, its last line and its output", async () => {
  const failing = node("console.log('copying'); console.error('no space left'); process.exitCode = 3");
  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof ProgramError);
    assert.match(error.message, /failed with code 3: /);
    assert.deepEqual(error.output.split("\n").sort(), ["copying", "no space left"]);
    return true;
  });
});

test("a program that does not exist is an error", async () => {
  await assert.rejects(runProgram("/nowhere/midfill", []), ProgramError);
});

test("a program can be cancelled", async () => {
  const abort = new AbortController();
  const endless = node("console.log('on'); setInterval(() => {}, 1000)", {
    signal: abort.signal,
    onLine: () => abort.abort(),
  });
  await assert.rejects(endless, { name: "AbortError" });
});
