/** Finds a Python that can run the server. */

import { type Machine, findOnPath } from "./discovery";
import { runProgram } from "../common/runProgram";

/** The oldest and the newest minor version of Python 3 for which all packages exist. */
const OLDEST = 10;
const NEWEST = 14;

/** Names of Python's program, the most common first. */
const NAMES = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/**
 * What a Python says about itself, in one line: see `parseBuild`. It runs isolated, because the current folder may be a
 * stranger's repository with a `platform.py`.
 */
const PROBE = [
  "-I",
  "-c",
  "import platform, sys, sysconfig; print(sys.implementation.name, '%d.%d' % sys.version_info[:2]," +
    " sysconfig.get_platform(), platform.machine(), bool(sysconfig.get_config_var('Py_GIL_DISABLED')), sys.executable)",
];

/** The message for the user if no Python is found. */
export const PYTHON_MISSING =
  `Midfill needs CPython 3.${OLDEST} to 3.${NEWEST}, but finds none that it supports. Install it from python.org or` +
  " with your system's packages (on Debian and Ubuntu: python3 and python3-venv). Then try again.";

/** A build of Python. */
export interface PythonBuild {
  /** The path of the program. */
  readonly program: string;
  readonly implementation: string;
  readonly major: number;
  readonly minor: number;
  /** As `sysconfig.get_platform` names it, such as "win-amd64". */
  readonly platform: string;
  /** As `platform.machine` names it, such as "x86_64". */
  readonly machine: string;
  readonly freeThreaded: boolean;
}

/** Runs a program, and returns the lines that it writes. */
type Run = (program: string, args: readonly string[]) => Promise<string[]>;

/** Return the path of the first Python that can run the server. `run` is a parameter for tests. */
export async function findPython(machine: Machine, run: Run = runProgram): Promise<string | undefined> {
  for (const [program, ...args] of candidates(machine)) {
    const build = await examine(run, program, args);
    if (build && isSupported(build)) {
      return build.program;
    }
  }
  return undefined;
}

/** Whether the packages that the server needs exist for a build of Python. The table in docs/platforms.md says why. */
export function isSupported(build: PythonBuild): boolean {
  const isOfGoodVersion = build.major === 3 && build.minor >= OLDEST && build.minor <= NEWEST;
  const isIntelMac = build.platform.startsWith("macosx") && build.machine === "x86_64";
  const lacksPackages = build.freeThreaded || build.platform === "win-arm64" || build.platform === "win32";
  return build.implementation === "cpython" && isOfGoodVersion && !lacksPackages && !(isIntelMac && build.minor >= 14);
}

/** Read the line that a Python writes for `PROBE`; undefined if it is another line. */
export function parseBuild(line: string): PythonBuild | undefined {
  const found = /^(\S+) (\d+)\.(\d+) (\S+) (\S+) (True|False) (.+)$/.exec(line);
  if (!found) {
    return undefined;
  }
  const [, implementation = "", major, minor, platform = "", machine = "", freeThreaded, program = ""] = found;
  return {
    program,
    implementation,
    major: Number(major),
    minor: Number(minor),
    platform,
    machine,
    freeThreaded: freeThreaded === "True",
  };
}

/** Return the commands that may be a Python, in the order in which they are tried. */
function candidates(machine: Machine): [string, ...string[]][] {
  const found = NAMES.map((name) => findOnPath(name, machine));
  const commands = found.filter((program) => program !== undefined).map((program): [string] => [program]);
  // Windows' installer puts its launcher on PATH, but Python itself only if one asks for that.
  const launcher = machine.platform === "win32" ? findOnPath("py", machine) : undefined;
  return launcher ? [...commands, [launcher, "-3"]] : commands;
}

async function examine(run: Run, program: string, args: readonly string[]): Promise<PythonBuild | undefined> {
  try {
    const [line = ""] = await run(program, [...args, ...PROBE]);
    return parseBuild(line);
  } catch {
    return undefined; // for example Windows' `python.exe`, which only opens the Microsoft Store
  }
}
