/** Why Midfill gives no suggestions in a document. */

/** What can keep suggestions from a document. */
export interface PauseState {
  /** Whether Midfill completes documents of this kind. */
  readonly isSupported: boolean;
  readonly isFilePaused: boolean;
  readonly isLanguagePaused: boolean;
  /** The setting `editor.inlineSuggest.enabled`. */
  readonly isGhostTextOn: boolean;
}

export type PauseReason = "unsupported" | "file" | "language" | "ghostTextOff";

/** Return the reason to show; undefined if there are suggestions. */
export function pauseReason(state: PauseState): PauseReason | undefined {
  if (!state.isSupported) {
    return "unsupported";
  }
  if (state.isFilePaused) {
    return "file";
  }
  if (state.isLanguagePaused) {
    return "language";
  }
  return state.isGhostTextOn ? undefined : "ghostTextOff";
}
