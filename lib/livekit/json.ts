/** Undefined for what is no JSON: the parser's own error would quote it, secrets and all. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
