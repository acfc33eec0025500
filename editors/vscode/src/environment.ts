/** The virtual environment that the extension keeps for the server. */

import { rm } from "node:fs/promises";

import { programIn } from "./discovery";
import { ProgramError, type RunOptions, run } from "./run";

/**
 * Make the environment, or make it anew, and install the server into it; a half-made one is removed.
 *
 * @param wheel the server's package, as this extension brings it; what it needs comes from the package index.
 * @throws ProgramError, or an AbortError.
 */
export async function createEnvironment(
  python: string,
  folder: string,
  wheel: string,
  options: RunOptions,
): Promise<void> {
  try {
    await run(python, ["-m", "venv", "--clear", folder], options);
    await install(folder, wheel, options);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw explained(error);
  }
}

async function install(folder: string, wheel: string, options: RunOptions): Promise<void> {
  const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"];
  await run(programIn(folder, "python", process.platform), [...pip, wheel], options);
}

function explained(error: unknown): unknown {
  if (error instanceof ProgramError && error.output.includes("ensurepip")) {
    return new ProgramError("This Python has no venv module; on Debian and Ubuntu install python3-venv, then try again.");
  }
  return error;
}
