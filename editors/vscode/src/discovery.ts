/** Where the server's program is: pure, all that the machine has to say comes in. */

import * as path from "node:path";

/** What the search may ask of the machine. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** The variable PATH. */
  readonly searchPath: string;
  isExecutable(file: string): boolean;
}

export interface Found {
  readonly kind: "found";
  readonly program: string;
  readonly by: "setting" | "path" | "environment";
}

export interface Missing {
  readonly kind: "missing";
  /** One sentence that says what is wrong. */
  readonly why: string;
}

/**
 * Find the server: the setting `midfill.server.path`, then `midfill` on PATH, then the managed environment.
 *
 * A setting that names nothing runnable is told, not skipped: another server than the one named would be a surprise.
 */
export function findServer(setting: string, environment: string, machine: Machine): Found | Missing {
  const named = setting.trim();
  if (named) {
    const program = expandHome(named, machine.home);
    return machine.isExecutable(program)
      ? { kind: "found", program, by: "setting" }
      : { kind: "missing", why: `The setting midfill.server.path names no program: ${program}` };
  }
  const onPath = findOnPath("midfill", machine);
  if (onPath) {
    return { kind: "found", program: onPath, by: "path" };
  }
  const managed = programIn(environment, "midfill", machine.platform);
  return machine.isExecutable(managed)
    ? { kind: "found", program: managed, by: "environment" }
    : { kind: "missing", why: "The Midfill server is not installed" };
}

/** The first `name` on PATH that can be run, with its folder. */
export function findOnPath(name: string, machine: Machine): string | undefined {
  const paths = pathsOf(machine.platform);
  return machine.searchPath
    .split(paths.delimiter)
    .filter((folder) => paths.isAbsolute(folder)) // a relative one would be searched in whatever folder is open
    .map((folder) => paths.join(folder, executable(name, machine.platform)))
    .find((file) => machine.isExecutable(file));
}

/** The path of a program in a virtual environment. */
export function programIn(environment: string, name: string, platform: NodeJS.Platform): string {
  const scripts = platform === "win32" ? "Scripts" : "bin";
  return pathsOf(platform).join(environment, scripts, executable(name, platform));
}

/** A path with the user's home folder for a leading `~`. */
export function expandHome(file: string, home: string): string {
  return /^~(?=[/\\]|$)/.test(file) ? home + file.slice(1) : file;
}

function executable(name: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? `${name}.exe` : name;
}

function pathsOf(platform: NodeJS.Platform): path.PlatformPath {
  return platform === "win32" ? path.win32 : path.posix;
}
