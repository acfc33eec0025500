/** Runs a program and reads its output line by line. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A program did not start, or it failed. The message has the last line of its output. */
export class ProgramError extends Error {
  constructor(
    message: string,
    /** Everything that the program wrote. */
    readonly output = "",
  ) {
    super(message);
  }
}

export interface RunOptions {
  /** Ends the program when it is aborted. */
  readonly signal?: AbortSignal;
  /** Called with each line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
}

/**
 * Run a program without a shell until it ends, and return the lines of its standard output.
 *
 * @throws ProgramError; or an AbortError if the signal was aborted.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string[]> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true, // otherwise Windows opens a console for it
    ...(options.signal && { signal: options.signal }),
  });
  const standardOutput: string[] = [];
  const allOutput: string[] = [];
  const onLine = (line: string): void => {
    allOutput.push(line);
    options.onLine?.(line);
  };
  createInterface(child.stdout)
    .on("line", onLine)
    .on("line", (line) => standardOutput.push(line));
  createInterface(child.stderr).on("line", onLine);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) => {
      reject(error.name === "AbortError" ? error : new ProgramError(`${program} cannot be run: ${error.message}`));
    });
    child.once("close", resolve);
  });
  if (code !== 0) {
    const lastLine = allOutput.findLast((line) => line.trim()) ?? "it wrote nothing";
    const end = code === null ? "was ended by a signal" : `failed with code ${code}`;
    throw new ProgramError(`${program} ${end}: ${lastLine}`, allOutput.join("\n"));
  }
  return standardOutput;
}
