/** Creates the managed environment: the Python virtual environment that the extension keeps for the server. */

import { rm } from "node:fs/promises";

import { programIn } from "./discovery";
import { ProgramError, type RunOptions, runProgram } from "../common/runProgram";

/** Isolated: the current folder may be a stranger's repository with a folder `pip`. */
const RUN_MODULE = ["-I", "-m"];
const PIP_INSTALL = [...RUN_MODULE, "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"];

/**
 * Create the environment in `folder`, or create it again, and install the server. If that fails, the folder is removed.
 *
 * @param python the path of the Python that the environment is based on.
 * @param wheel the server's package; its dependencies come from the package index.
 * @throws ProgramError; or an AbortError if the signal was aborted.
 */
export async function createEnvironment(
  python: string,
  folder: string,
  wheel: string,
  options: RunOptions,
): Promise<void> {
  try {
    await runProgram(python, [...RUN_MODULE, "venv", "--clear", folder], options);
    await runProgram(programIn(folder, "python", process.platform), [...PIP_INSTALL, wheel], options);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw withAdvice(error);
  }
}

function withAdvice(error: unknown): unknown {
  if (error instanceof ProgramError && error.output.includes("ensurepip")) {
    const message = "This Python cannot create virtual environments.";
    const advice = "On Debian and Ubuntu, install python3-venv. Then try again.";
    return new ProgramError(`${message} ${advice}`, error.output);
  }
  return error;
}
