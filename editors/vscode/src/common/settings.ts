/** Reads and writes VS Code's settings. */

import { homedir } from "node:os";
import * as vscode from "vscode";

import { expandHome } from "./expandHome";
import { type Options, SECTION, type SettingValue, allOptions, serverOptionNames, setOptions } from "./serverOptions";

/** Return the server options that are set, for the start of the server. */
export function initializationOptions(extension: vscode.Extension<unknown>): Options {
  return setOptions(optionNames(extension), reader());
}

/** Return all server options, for a server that runs; null for those that are not set. */
export function configurationOptions(extension: vscode.Extension<unknown>): Options {
  return allOptions(optionNames(extension), reader());
}

/** Whether a change affects an option of the server. */
export function affectsServerOptions(
  change: vscode.ConfigurationChangeEvent,
  extension: vscode.Extension<unknown>,
): boolean {
  return optionNames(extension).some((name) => change.affectsConfiguration(`${SECTION}.${name}`));
}

/** Whether a change affects how the server is started. */
export function affectsServerProcess(change: vscode.ConfigurationChangeEvent): boolean {
  return change.affectsConfiguration(`${SECTION}.server`);
}

/** The configured path of the server; empty if there is none. */
export function serverPath(): string {
  return configuration().get("server.path", "");
}

/** The level of the server's log. */
export function logLevel(): string {
  return configuration().get("server.logLevel", "WARNING");
}

/** The folder of the model bundle; empty for the default one. */
export function bundle(): string {
  return expandHome(configuration().get("bundle", ""), homedir());
}

/** Set the folder of the model bundle; empty for the default one. It is set where it was set before. */
export async function setBundle(folder: string): Promise<void> {
  await configuration().update("bundle", folder || undefined, targetOf("bundle"));
}

/** Whether the next edit is predicted. */
export function isNextEditOn(): boolean {
  return configuration().get("nextEdit", false);
}

/** Turn the next edit on or off. It is set where it was set before. */
export async function setNextEditOn(on: boolean): Promise<void> {
  await configuration().update("nextEdit", on, targetOf("nextEdit"));
}

/** The languages for which suggestions are paused. */
export function pausedLanguages(): readonly string[] {
  return configuration().get<string[]>("pause.languages", []);
}

/** Pause suggestions for a language, or resume them, in the user's settings. */
export async function setLanguagePaused(language: string, paused: boolean): Promise<void> {
  const others = pausedLanguages().filter((other) => other !== language);
  const languages = paused ? [...others, language].sort() : others;
  const value = languages.length ? languages : undefined;
  await configuration().update("pause.languages", value, vscode.ConfigurationTarget.Global);
}

function configuration(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(SECTION);
}

/** Return where a setting is set; if nowhere, the user's settings. */
function targetOf(name: string): vscode.ConfigurationTarget {
  const isSetInWorkspace = configuration().inspect(name)?.workspaceValue !== undefined;
  return isSetInWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
}

function optionNames(extension: vscode.Extension<unknown>): string[] {
  const manifest = extension.packageJSON as { contributes: { configuration: { properties: object } } };
  return serverOptionNames(Object.keys(manifest.contributes.configuration.properties));
}

function reader(): (name: string) => SettingValue {
  const current = configuration();
  return (name) => {
    const found = current.inspect(name);
    const levels = [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue];
    return { isSet: levels.some((value) => value !== undefined), value: current.get(name) };
  };
}
