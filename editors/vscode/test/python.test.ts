import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import test from "node:test";

import { thisMachine } from "../src/server/machine";
import { findPython, isSupported, parseBuild } from "../src/server/python";

/** Whether the build with this line about itself is supported. */
function supports(line: string): boolean {
  const build = parseBuild(`${line} /usr/bin/python`);
  assert.ok(build, line);
  return isSupported(build);
}

test("the versions of Python for which all packages exist are supported", () => {
  const versions = ["3.9", "3.10", "3.13", "3.14", "3.15", "2.7", "4.0"];
  const supported = versions.map((version) => supports(`cpython ${version} linux-x86_64 x86_64 False`));
  assert.deepEqual(supported, [false, true, true, true, false, false, false]);
});

test("builds for which packages are missing are not supported", () => {
  assert.equal(supports("cpython 3.13 win-amd64 AMD64 False"), true);
  assert.equal(supports("cpython 3.13 win-amd64 ARM64 False"), true); // an x86-64 Python on an ARM machine
  assert.equal(supports("cpython 3.13 win-arm64 ARM64 False"), false);
  assert.equal(supports("cpython 3.13 win32 AMD64 False"), false);
  assert.equal(supports("cpython 3.14 linux-x86_64 x86_64 True"), false);
  assert.equal(supports("pypy 3.11 linux-x86_64 x86_64 False"), false);
});

test("Intel Macs are supported up to Python 3.13, other Macs also after it", () => {
  assert.equal(supports("cpython 3.13 macosx-10.13-universal2 x86_64 False"), true);
  assert.equal(supports("cpython 3.14 macosx-10.15-universal2 x86_64 False"), false);
  assert.equal(supports("cpython 3.14 macosx-10.15-universal2 arm64 False"), true);
});

test("a line that no Python writes is no build", () => {
  assert.equal(parseBuild("Python was not found; run without arguments to install from the Microsoft Store"), undefined);
  assert.equal(parseBuild(""), undefined);
});

test("a path may have spaces", () => {
  const program = "C:\\Program Files\\Python312\\python.exe";
  assert.equal(parseBuild(`cpython 3.12 win-amd64 AMD64 False ${program}`)?.program, program);
});

test("a Python that is too old, or does not run, is skipped", async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), "midfill-"));
  context.after(() => rm(folder, { recursive: true }));
  const scripts = {
    python3: "echo cpython 3.8 linux-x86_64 x86_64 False $0",
    python: "exit 9",
    "python3.12": "echo cpython 3.12 linux-x86_64 x86_64 False $0",
  };
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(path.join(folder, name), 0o755);
  }
  const machine = { ...thisMachine, home: folder, searchPath: folder };
  assert.equal(await findPython(machine), path.join(folder, "python3.12"));
  assert.equal(await findPython({ ...machine, searchPath: "" }), undefined);
});

test("on Windows the launcher `py` says where the newest Python is", async () => {
  const launcher = "C:\\Windows\\py.exe";
  const machine = {
    platform: "win32" as const,
    home: "C:\\Users\\me",
    searchPath: "C:\\Windows",
    isExecutable: (file: string) => file === launcher,
  };
  const asked: string[] = [];
  const found = await findPython(machine, (program, args) => {
    asked.push(program, args[0] ?? "");
    return Promise.resolve(["cpython 3.13 win-amd64 AMD64 False C:\\Python\\python.exe"]);
  });
  assert.equal(found, "C:\\Python\\python.exe");
  assert.deepEqual(asked, [launcher, "-3"]);
});

test("code in the current folder does not run", async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), "midfill-"));
  const before = process.cwd();
  context.after(() => {
    process.chdir(before);
    return rm(folder, { recursive: true });
  });
  for (const module of ["platform", "sysconfig"]) {
    await writeFile(path.join(folder, `${module}.py`), "open('it-ran', 'w').close()\n");
  }
  process.chdir(folder);
  await findPython(thisMachine);
  assert.deepEqual((await readdir(folder)).sort(), ["platform.py", "sysconfig.py"]);
});
