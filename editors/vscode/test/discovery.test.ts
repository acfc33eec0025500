import assert from "node:assert/strict";
import test from "node:test";

import { type Machine, findOnPath, findServer } from "../src/server/discovery";

const MANAGED = "/home/me/.vscode/server";

function machine(files: string[], overrides: Partial<Machine> = {}): Machine {
  return {
    platform: "linux",
    home: "/home/me",
    searchPath: "/usr/local/bin:/usr/bin",
    isExecutable: (file) => files.includes(file),
    ...overrides,
  };
}

test("the setting comes before PATH and the managed environment", () => {
  const all = machine(["/opt/midfill", "/usr/bin/midfill", `${MANAGED}/bin/midfill`]);
  const found = findServer("/opt/midfill", MANAGED, all);
  assert.deepEqual(found, { kind: "found", program: "/opt/midfill", source: "setting" });
});

test("a setting that names no program is an error, and the search ends", () => {
  const found = findServer("/opt/gone", MANAGED, machine(["/usr/bin/midfill"]));
  assert.equal(found.kind, "missing");
  assert.match(found.reason, /midfill\.server\.path does not name a program: \/opt\/gone/);
});

test("in the setting, `~` is the home folder, and spaces at the ends do not count", () => {
  const found = findServer(" ~/bin/midfill ", MANAGED, machine(["/home/me/bin/midfill"]));
  assert.deepEqual(found, { kind: "found", program: "/home/me/bin/midfill", source: "setting" });
});

test("PATH comes before the managed environment, and its folders are searched in order", () => {
  const files = ["/usr/bin/midfill", "/usr/local/bin/midfill", `${MANAGED}/bin/midfill`];
  assert.deepEqual(findServer("", MANAGED, machine(files)), {
    kind: "found",
    program: "/usr/local/bin/midfill",
    source: "PATH",
  });
});

test("the managed environment comes last", () => {
  const found = findServer("", MANAGED, machine([`${MANAGED}/bin/midfill`]));
  assert.deepEqual(found, { kind: "found", program: `${MANAGED}/bin/midfill`, source: "managed environment" });
});

test("without any of them the server is missing", () => {
  assert.equal(findServer("", MANAGED, machine([])).kind, "missing");
});

test("relative and empty folders on PATH are not searched: the open workspace could have a program there", () => {
  const planted = machine(["midfill", "bin/midfill", "./midfill"], { searchPath: ":.:bin" });
  assert.equal(findOnPath("midfill", planted), undefined);
});

test("on Windows programs end in .exe, and environments have a folder Scripts", () => {
  const windows = { platform: "win32", searchPath: "C:\\Tools;D:\\Py" } as const;
  assert.equal(findOnPath("midfill", machine(["D:\\Py\\midfill.exe"], windows)), "D:\\Py\\midfill.exe");
  const managed = machine(["C:\\Env\\Scripts\\midfill.exe"], windows);
  assert.deepEqual(findServer("", "C:\\Env", managed), {
    kind: "found",
    program: "C:\\Env\\Scripts\\midfill.exe",
    source: "managed environment",
  });
});

test("an editor with a short PATH finds what pipx and uv have installed", () => {
  const windows = machine(["C:\\Users\\me\\.local\\bin\\midfill.exe"], {
    platform: "win32",
    home: "C:\\Users\\me",
    searchPath: "C:\\Windows",
  });
  assert.equal(findOnPath("midfill", windows), "C:\\Users\\me\\.local\\bin\\midfill.exe");
  const files = ["/opt/homebrew/bin/midfill", "/Users/me/.local/bin/midfill"];
  const mac = machine(files, { platform: "darwin", home: "/Users/me", searchPath: "/usr/bin:/bin" });
  assert.equal(findOnPath("midfill", mac), "/Users/me/.local/bin/midfill");
  assert.equal(findOnPath("midfill", { ...mac, home: "/Users/other" }), "/opt/homebrew/bin/midfill");
  assert.equal(findOnPath("midfill", machine(["/home/me/.local/bin/midfill"])), "/home/me/.local/bin/midfill");
});
