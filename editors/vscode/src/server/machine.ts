/** The machine that the extension runs on, for the search for programs. */

import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";

import type { Machine } from "./discovery";

export const thisMachine: Machine = {
  platform: process.platform,
  home: homedir(),
  get searchPath(): string {
    return process.env.PATH ?? "";
  },
  isExecutable(file: string): boolean {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  },
};
