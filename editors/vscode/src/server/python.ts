/** Finds a Python that can run the server. */

import { type Machine, findOnPath } from "./discovery";
import { runProgram } from "../common/runProgram";

const MINIMUM = { major: 3, minor: 10 };

/** Names of Python's program, the most common first. */
const NAMES = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/** The message for the user if no Python is found. */
export const PYTHON_MISSING =
  `Midfill needs Python ${MINIMUM.major}.${MINIMUM.minor} or newer, but there is none on PATH. Install it from` +
  " python.org or with your system's packages (on Debian and Ubuntu: python3 and python3-venv). Then try again.";

/** Return the path of the first Python on PATH that is new enough. */
export async function findPython(machine: Machine): Promise<string | undefined> {
  for (const name of NAMES) {
    const program = findOnPath(name, machine);
    if (program && (await isNewEnough(program))) {
      return program;
    }
  }
  return undefined;
}

/** Whether the server runs on a version of Python; `version` is the output of `python --version`. */
export function isSupportedVersion(version: string): boolean {
  const [, major, minor] = /^Python (\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) === MINIMUM.major && Number(minor) >= MINIMUM.minor;
}

async function isNewEnough(program: string): Promise<boolean> {
  try {
    const [version = ""] = await runProgram(program, ["--version"]);
    return isSupportedVersion(version);
  } catch {
    return false; // for example Windows' `python.exe`, which only opens the Microsoft Store
  }
}
