/** Replace a leading `~` in a path by the user's home folder. */
export function expandHome(file: string, home: string): string {
  return /^~(?=[/\\]|$)/.test(file) ? home + file.slice(1) : file;
}
