/** Finds the server's program. Everything it asks of the machine is a parameter, so that tests can replace it. */

import * as path from "node:path";

import { expandHome } from "../common/expandHome";

/** What the search asks of the machine. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** The value of the variable PATH. */
  readonly searchPath: string;
  isExecutable(file: string): boolean;
}

export interface FoundServer {
  readonly kind: "found";
  readonly program: string;
  readonly source: "setting" | "PATH" | "managed environment";
}

export interface MissingServer {
  readonly kind: "missing";
  /** One sentence for the user, without a full stop. */
  readonly reason: string;
}

export type ServerLocation = FoundServer | MissingServer;

/**
 * Find the server: by the setting `midfill.server.path`, then as `midfill` on PATH or where pipx and uv put it, then in
 * the managed environment.
 *
 * @param setting the value of `midfill.server.path`. If it names no program, the search ends there: to start another
 *   server than the named one would surprise the user.
 * @param environment the folder of the managed environment.
 */
export function findServer(setting: string, environment: string, machine: Machine): ServerLocation {
  const configured = setting.trim();
  if (configured) {
    const program = expandHome(configured, machine.home);
    return machine.isExecutable(program)
      ? { kind: "found", program, source: "setting" }
      : { kind: "missing", reason: `The setting midfill.server.path does not name a program: ${program}` };
  }
  const onPath = findOnPath("midfill", machine);
  if (onPath) {
    return { kind: "found", program: onPath, source: "PATH" };
  }
  const managed = programIn(environment, "midfill", machine.platform);
  return machine.isExecutable(managed)
    ? { kind: "found", program: managed, source: "managed environment" }
    : { kind: "missing", reason: "The Midfill server is not installed" };
}

/**
 * Return the path of the first executable `name` on PATH, and then in the folders where it usually is.
 *
 * An editor that was started from a menu may have a short PATH, above all on macOS.
 */
export function findOnPath(name: string, machine: Machine): string | undefined {
  const paths = pathsOf(machine.platform);
  return [...machine.searchPath.split(paths.delimiter), ...usualFolders(machine)]
    .filter((folder) => paths.isAbsolute(folder)) // a relative folder would be one of the open workspace
    .map((folder) => paths.join(folder, executable(name, machine.platform)))
    .find((file) => machine.isExecutable(file));
}

/** Return where pipx, uv and Homebrew put programs. */
function usualFolders(machine: Machine): string[] {
  const own = pathsOf(machine.platform).join(machine.home, ".local", "bin");
  return machine.platform === "darwin" ? [own, "/opt/homebrew/bin", "/usr/local/bin"] : [own];
}

/** Return the path that a program has in a virtual environment. */
export function programIn(environment: string, name: string, platform: NodeJS.Platform): string {
  const scripts = platform === "win32" ? "Scripts" : "bin";
  return pathsOf(platform).join(environment, scripts, executable(name, platform));
}

function executable(name: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? `${name}.exe` : name;
}

function pathsOf(platform: NodeJS.Platform): path.PlatformPath {
  return platform === "win32" ? path.win32 : path.posix;
}
