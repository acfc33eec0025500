/** Where an edit is for someone who looks at an editor, and the hint that says so. */

export type Whereabouts = "here" | "visible" | "above" | "below" | "elsewhere";

/** The lines that an edit is about; they count from 0. */
export interface Lines {
  readonly firstLine: number;
  readonly lastLine: number;
}

/** What an editor shows. */
export interface View {
  readonly cursorLine: number;
  readonly firstVisible: number;
  readonly lastVisible: number;
}

/** `view` is undefined if the editor shows another document than the edit's. "here" means that the cursor is there. */
export function whereabouts({ firstLine, lastLine }: Lines, view: View | undefined): Whereabouts {
  if (!view) {
    return "elsewhere";
  }
  if (firstLine <= view.cursorLine && view.cursorLine <= lastLine) {
    return "here";
  }
  if (lastLine < view.firstVisible) {
    return "above";
  }
  return firstLine > view.lastVisible ? "below" : "visible";
}

/** Return what tells the user about an edit; `file` is the name of its file. */
export function hintText(where: Whereabouts, { firstLine }: Lines, file: string): string {
  const line = firstLine + 1;
  switch (where) {
    case "here":
      return "Tab: apply, Esc: dismiss";
    case "visible":
      return "Tab: go here";
    case "above":
      return `↑ Tab: next edit, line ${line}`;
    case "below":
      return `↓ Tab: next edit, line ${line}`;
    case "elsewhere":
      return `→ Tab: next edit, ${file}:${line}`;
  }
}

/** Return the line at whose end the hint stands: where the edit ends, or the edge of what the editor shows. */
export function hintLine(where: Whereabouts, { lastLine }: Lines, view: View, stickyLines: number): number {
  switch (where) {
    case "here":
    case "visible":
      return Math.min(lastLine, view.lastVisible);
    case "above":
      // VS Code's sticky scroll covers the first lines.
      return Math.min(view.firstVisible + stickyLines, view.lastVisible);
    case "below":
      // The last line may be cut off, or lie below a scroll bar.
      return Math.max(view.lastVisible - 1, view.firstVisible);
    case "elsewhere":
      return Math.min(Math.max(view.cursorLine, view.firstVisible), view.lastVisible);
  }
}
