/** The user's settings. What the server can be told stands in package.json, and a test holds that to the server. */

import { homedir } from "node:os";
import * as vscode from "vscode";

import { expandHome } from "./discovery";

const SECTION = "midfill";

/** The extension's own settings have a dot in their names (`midfill.server.path`); all others are the server's. */
function isForServer(name: string): boolean {
  return !name.includes(".");
}

/** The names of the server's settings, without the section. */
function serverSettings(extension: vscode.Extension<unknown>): string[] {
  const manifest = extension.packageJSON as { contributes: { configuration: { properties: object } } };
  return Object.keys(manifest.contributes.configuration.properties)
    .map((key) => key.slice(SECTION.length + 1))
    .filter(isForServer);
}

/** What the user has set, for the server's `initializationOptions`; its defaults are its own. */
export function initializationOptions(extension: vscode.Extension<unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(changedOptions(extension)).filter(([, value]) => value !== null));
}

/**
 * All that the server can be told, for `workspace/didChangeConfiguration`: null takes back what is set no more.
 *
 * What is set counts even where it equals the default, for a `midfill.toml` may say otherwise.
 */
export function changedOptions(extension: vscode.Extension<unknown>): Record<string, unknown> {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const options: Record<string, unknown> = {};
  for (const name of serverSettings(extension)) {
    const found = configuration.inspect(name);
    const isSet = [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some((v) => v !== undefined);
    const value = configuration.get(name);
    options[name] = isSet && value !== "" ? value : null;
  }
  return options;
}

/** Whether a change concerns what the server is told. */
export function concernsServer(change: vscode.ConfigurationChangeEvent, extension: vscode.Extension<unknown>): boolean {
  return serverSettings(extension).some((name) => change.affectsConfiguration(`${SECTION}.${name}`));
}

/** Whether a change concerns how the server's process is started. */
export function concernsProcess(change: vscode.ConfigurationChangeEvent): boolean {
  return change.affectsConfiguration(`${SECTION}.server`);
}

/** The program named as the server; empty for none. */
export function serverPath(): string {
  return vscode.workspace.getConfiguration(SECTION).get("server.path", "");
}

/** How much the server writes to its log. */
export function logLevel(): string {
  return vscode.workspace.getConfiguration(SECTION).get("server.logLevel", "WARNING");
}

/** The folder of the model bundle; empty for the default one. */
export function bundle(): string {
  return expandHome(vscode.workspace.getConfiguration(SECTION).get("bundle", ""), homedir());
}

/** Set the folder of the model bundle for this user; empty for the default one. */
export async function setBundle(folder: string): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const target = configuration.inspect("bundle")?.workspaceValue === undefined
    ? vscode.ConfigurationTarget.Global
    : vscode.ConfigurationTarget.Workspace;
  await configuration.update("bundle", folder || undefined, target);
}

/** The languages for which suggestions are paused. */
export function pausedLanguages(): readonly string[] {
  return vscode.workspace.getConfiguration(SECTION).get<string[]>("pause.languages", []);
}

/** Pause or resume a language, for this user. */
export async function setLanguagePaused(language: string, paused: boolean): Promise<void> {
  const others = pausedLanguages().filter((other) => other !== language);
  const languages = paused ? [...others, language].sort() : others;
  const configuration = vscode.workspace.getConfiguration(SECTION);
  await configuration.update("pause.languages", languages.length ? languages : undefined, vscode.ConfigurationTarget.Global);
}
