/** What is known to be wrong, and not mended yet: by entry of the issue, the titles of the tests. */
const OPEN: Record<string, RegExp[]> = {
  '8': [
    /remove-club and put-member/,
    /end \w+ and (remove-club|forget-user ben)/,
    /(remove-club|forget-user \w+) and webhook/,
    /readmit ada cleo and (remove-member|forget-user) cleo/,
    /remove-member cleo and readmit/,
    /forget-user .* and webhook/,
    /remove-club and .*(put-club|webhook)/,
  ],
  '14': [/a room that outlives its club/],
  'not tried yet': [/late/],
};

export const isOpen = (title: string): boolean =>
  Object.values(OPEN)
    .flat()
    .some((pattern) => pattern.test(title));
