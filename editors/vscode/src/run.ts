/** Programs run to their end, line by line. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A program that did not start, or ended with a fault; its last words are in the message. */
export class ProgramError extends Error {
  constructor(
    message: string,
    /** All that it wrote. */
    readonly output = "",
  ) {
    super(message);
  }
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly environment?: NodeJS.ProcessEnv;
  readonly onLine?: (line: string) => void;
}

/**
 * Run a program without a shell and return what it wrote to standard output, in lines.
 *
 * @throws ProgramError, or an AbortError after `signal`.
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string[]> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.signal && { signal: options.signal }),
    ...(options.environment && { env: options.environment }),
  });
  const output: string[] = [];
  const all: string[] = [];
  const take = (line: string): void => {
    all.push(line);
    options.onLine?.(line);
  };
  createInterface(child.stdout)
    .on("line", take)
    .on("line", (line) => output.push(line));
  createInterface(child.stderr).on("line", take);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) => {
      reject(error.name === "AbortError" ? error : new ProgramError(`${program} cannot be run: ${error.message}`));
    });
    child.once("close", resolve);
  });
  if (code !== 0) {
    const last = all.findLast((line) => line.trim()) ?? "it said nothing";
    throw new ProgramError(`${program} ended with ${code === null ? "a signal" : `code ${code}`}: ${last}`, all.join("\n"));
  }
  return output;
}
