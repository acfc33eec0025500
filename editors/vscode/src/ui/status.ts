/** What the status bar item shows. */

import type { PauseReason } from "./pauseReason";

export type ServerState =
  | { readonly kind: "starting" }
  | { readonly kind: "loading"; readonly message: string; readonly percentage: number }
  | { readonly kind: "ready" }
  | { readonly kind: "missing"; readonly message: string }
  | { readonly kind: "error"; readonly message: string };

/** A state in which the server cannot work. */
export type Problem = Extract<ServerState, { kind: "missing" | "error" }>;

/** Everything that the item depends on. */
export interface Status {
  readonly server: ServerState;
  /** Whether a request has been waiting for some time. */
  readonly thinking: boolean;
  /** Why there are no suggestions in the active editor. */
  readonly pause: PauseReason | undefined;
  /** Whether the next edit is on. */
  readonly isNextEditOn: boolean;
  /** How to take the edit that is shown; undefined if none is. */
  readonly nextEdit: string | undefined;
}

/** The texts of the item. */
export interface Appearance {
  readonly text: string;
  readonly tooltip: string;
  /** For screen readers. */
  readonly label: string;
  readonly isError: boolean;
}

const PAUSED: Record<PauseReason, string> = {
  file: "paused in this file",
  language: "paused for this language",
  ghostTextOff: "paused: the setting editor.inlineSuggest.enabled is off",
  unsupported: "inactive here: Midfill completes only files on disk and new files that are not saved yet",
};

/** Problems come first, then the start of the server, then pauses. */
export function appearance(status: Status): Appearance {
  const shown = ofServer(status);
  return { ...shown, tooltip: `${shown.label}\nNext edit: ${status.isNextEditOn ? "on" : "off"}` };
}

type Shown = Omit<Appearance, "tooltip">;

function ofServer({ server, thinking, pause, nextEdit }: Status): Shown {
  switch (server.kind) {
    case "missing":
    case "error":
      return { ...item("$(error)", server.message), isError: true };
    case "starting":
      return item("$(loading~spin)", "starting the server");
    case "loading":
      return item("$(loading~spin)", `${server.message}, ${server.percentage}%`, ` ${server.percentage}%`);
    case "ready":
      if (nextEdit) {
        return item("$(edit)", `next edit. ${nextEdit}`);
      }
      if (pause) {
        return item("$(debug-pause)", PAUSED[pause]);
      }
      return thinking ? item("$(loading~spin)", "thinking") : item("$(sparkle)", "ready");
  }
}

function item(icon: string, state: string, suffix = ""): Shown {
  return { text: `${icon} Midfill${suffix}`, label: `Midfill: ${state}`, isError: false };
}
