/** What moves the cursor, turns the direction of a line, or cannot be seen; not what an emoji is drawn by. */
const UNSEEN = /[[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--\p{Variation_Selector}]/gv;

/**
 * One line for a terminal: each character that a terminal would obey, or not show, is written as JavaScript
 * and JSON escape it.
 */
export const printable = (line: string): string => line.replaceAll(UNSEEN, escaped);

/** The same for several lines. JSON stays the same JSON. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

const escaped = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
