/** Finding a Python that is new enough for the server. */

import { type Machine, findOnPath } from "./discovery";
import { run } from "./run";

const OLDEST = { major: 3, minor: 10 };

/** What users call Python, the usual names first. */
const NAMES = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/** What to say where no Python is found. */
export const PYTHON_MISSING =
  `Midfill needs Python ${OLDEST.major}.${OLDEST.minor} or newer, and found none on PATH. Install it from python.org` +
  " or with your system's packages (on Debian and Ubuntu: python3 and python3-venv), then try again.";

/** The path of the first Python on PATH that is new enough. */
export async function findPython(machine: Machine): Promise<string | undefined> {
  for (const name of NAMES) {
    const program = findOnPath(name, machine);
    if (program && (await isNewEnough(program))) {
      return program;
    }
  }
  return undefined;
}

/** Whether `version`, as `python --version` prints it, is one that the server runs on. */
export function accepts(version: string): boolean {
  const [, major, minor] = /^Python (\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) === OLDEST.major && Number(minor) >= OLDEST.minor;
}

async function isNewEnough(program: string): Promise<boolean> {
  try {
    const [version = ""] = await run(program, ["--version"]);
    return accepts(version);
  } catch {
    return false; // such as the Windows stub that opens a shop
  }
}
