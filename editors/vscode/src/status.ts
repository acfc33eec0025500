/** What the status bar says, from what is known: pure. */

/** How the server is. */
export type ServerState =
  | { readonly kind: "starting" }
  | { readonly kind: "loading"; readonly message: string; readonly percentage: number }
  | { readonly kind: "ready" }
  | { readonly kind: "missing"; readonly message: string }
  | { readonly kind: "error"; readonly message: string };

/** What keeps the server from working. */
export type Problem = Extract<ServerState, { kind: "missing" | "error" }>;

/** Why there are no suggestions in the active editor although the server is well. */
export type PauseReason = "file" | "language" | "editor" | "place";

/** All that the status bar shows. */
export interface Status {
  readonly server: ServerState;
  readonly thinking: boolean;
  readonly pause: PauseReason | undefined;
}

/** A status bar item, in words. */
export interface Appearance {
  readonly text: string;
  readonly tooltip: string;
  /** What a screen reader says. */
  readonly label: string;
  readonly alarming: boolean;
}

const PAUSED: Record<PauseReason, string> = {
  file: "paused in this file",
  language: "paused for this language",
  editor: "paused: the setting editor.inlineSuggest.enabled is off",
  place: "not at work here: this is no file on disk, nor one that is not saved yet",
};

/** What is wrong comes first, then what takes time, then what the user has chosen. */
export function appearance({ server, thinking, pause }: Status): Appearance {
  switch (server.kind) {
    case "missing":
    case "error":
      return show("$(error)", server.message, true);
    case "starting":
      return show("$(loading~spin)", "starting the server");
    case "loading":
      return show("$(loading~spin)", `${server.message}, ${server.percentage}%`, false, ` ${server.percentage}%`);
    case "ready":
      if (pause) {
        return show("$(debug-pause)", PAUSED[pause]);
      }
      return thinking ? show("$(loading~spin)", "thinking") : show("$(sparkle)", "ready");
  }
}

function show(icon: string, state: string, alarming = false, suffix = ""): Appearance {
  return { text: `${icon} Midfill${suffix}`, tooltip: `Midfill: ${state}`, label: `Midfill: ${state}`, alarming };
}
