/** Turns VS Code's settings into the options that the server receives. */

/** The section of all of Midfill's settings. */
export const SECTION = "midfill";

/** A setting as VS Code knows it. */
export interface SettingValue {
  /** Whether the user, the workspace or the folder sets it, be it to the default value. */
  readonly isSet: boolean;
  readonly value: unknown;
}

/** Server options by name. */
export type Options = Record<string, unknown>;

/**
 * Return the names of the settings that the server has, without the section.
 *
 * The extension's own settings have one more dot in their names (`midfill.server.path`).
 *
 * @param keys the names of all settings, as package.json has them.
 */
export function serverOptionNames(keys: readonly string[]): string[] {
  return keys.map((key) => key.slice(SECTION.length + 1)).filter((name) => !name.includes("."));
}

/**
 * Return all options, for `workspace/didChangeConfiguration`. Null means that an option is not set.
 *
 * An option is sent even if it equals the default: the folder's `midfill.toml` may set another value. An empty text
 * counts as not set.
 */
export function allOptions(names: readonly string[], read: (name: string) => SettingValue): Options {
  return Object.fromEntries(
    names.map((name) => {
      const { isSet, value } = read(name);
      return [name, isSet && value !== "" ? value : null];
    }),
  );
}

/** Return the options that are set, for `initialize`. The server has its own defaults for the others. */
export function setOptions(names: readonly string[], read: (name: string) => SettingValue): Options {
  return Object.fromEntries(Object.entries(allOptions(names, read)).filter(([, value]) => value !== null));
}
