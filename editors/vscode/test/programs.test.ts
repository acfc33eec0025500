import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import test from "node:test";

import { createEnvironment } from "../src/environment";
import { thisMachine } from "../src/machine";
import { accepts, findPython } from "../src/python";
import { ProgramError, run } from "../src/run";

const say = (script: string): string[] => ["-e", script];

test("a program's lines are handed on as they come, and its output returned", async () => {
  const heard: string[] = [];
  const script = "console.log('one'); console.error('aside'); console.log('two')";
  const output = await run(process.execPath, say(script), { onLine: (line) => heard.push(line) });
  assert.deepEqual(output, ["one", "two"]);
  assert.deepEqual(heard.sort(), ["aside", "one", "two"]);
});

test("a program that fails is told with its code and its last words", async () => {
  const failing = run(process.execPath, say("console.error('no space left'); process.exit(3)"));
  await assert.rejects(failing, (error) => error instanceof ProgramError && error.message.includes("code 3: no space left"));
});

test("a program that is not there is told", async () => {
  await assert.rejects(run("/nowhere/midfill", []), ProgramError);
});

test("a program can be stopped", async () => {
  const abort = new AbortController();
  const endless = run(process.execPath, say("console.log('on'); setInterval(() => {}, 1000)"), {
    signal: abort.signal,
    onLine: () => abort.abort(),
  });
  await assert.rejects(endless, { name: "AbortError" });
});

test("Pythons from 3.10 on are taken", () => {
  const verdicts = ["Python 3.9.18", "Python 3.10.0", "Python 3.13.1+", "Python 2.7.18", "Python 4.0.0", ""].map(accepts);
  assert.deepEqual(verdicts, [false, true, true, false, false, false]);
});

test("the first Python that is new enough is found, and one that does not run is passed over", async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), "midfill-"));
  context.after(() => rm(folder, { recursive: true }));
  const scripts = { python3: "echo Python 3.8.1", python: "exit 9", "python3.12": "echo Python 3.12.4" };
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(path.join(folder, name), 0o755);
  }
  const machine = { ...thisMachine, searchPath: folder };
  assert.equal(await findPython(machine), path.join(folder, "python3.12"));
  assert.equal(await findPython({ ...machine, searchPath: "" }), undefined);
});

test("an environment that cannot be filled is removed again", async (context) => {
  const parent = await mkdtemp(path.join(tmpdir(), "midfill-"));
  context.after(() => rm(parent, { recursive: true }));
  const python = await findPython(thisMachine);
  assert.ok(python);
  const folder = path.join(parent, "server");
  await mkdir(folder);
  await assert.rejects(createEnvironment(python, folder, path.join(parent, "gone.whl"), {}), ProgramError);
  await assert.rejects(stat(folder), { code: "ENOENT" });
});
