/** Many clubs and members from one file: all of it is right, or nothing is written. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import type { ShownClub } from '../lib/contract/commands.ts';
import { ruleOf } from '../lib/http/request.ts';
import { OccurredAt } from '../lib/meetings/club-commands.ts';
import { ClubId, ClubName, maybe, ParticipantName, Role, UserId } from '../lib/meetings/model.ts';
import { Refused, showClub, type Target } from './targets.ts';

/** Commands on their way at once: as many invocations of the function. */
const AT_ONCE = 16;
const SHOWN_MISTAKES = 20;

const LIST_RULE = 'must be a list';
const OBJECT_RULE = 'must be an object';

const ImportedMember = z.strictObject(
  { userId: UserId, displayName: maybe(ParticipantName), role: maybe(Role) },
  OBJECT_RULE,
);
const ImportedClub = z.strictObject(
  {
    clubId: ClubId,
    name: ClubName,
    moderatorId: UserId,
    members: z.array(ImportedMember, LIST_RULE),
  },
  OBJECT_RULE,
);
const ImportFile = z.strictObject(
  { asOf: maybe(OccurredAt), clubs: z.array(ImportedClub, LIST_RULE) },
  OBJECT_RULE,
);
export type ImportFile = z.infer<typeof ImportFile>;
export type ImportedClub = ImportFile['clubs'][number];
export type ImportedMember = ImportedClub['members'][number];

/** The file says something that cannot be meant. Nothing was written. */
export class ImportErrors extends Error {
  override readonly name = 'ImportErrors';
  /** Each names its place: `clubs[0].members[3].role must be …`. */
  readonly sentences: string[];

  constructor(file: string, sentences: string[]) {
    const shown = sentences.slice(0, SHOWN_MISTAKES);
    const more = sentences.length - shown.length;
    super(
      [
        `${file} has ${count(sentences.length, 'mistake')}, and nothing was written:`,
        ...shown.map((sentence) => `  ${sentence}`),
        ...(more > 0 ? [`  … and ${more} more`] : []),
      ].join('\n'),
    );
    this.sentences = sentences;
  }
}

/** @throws ImportErrors, also when it is no JSON; whatever reading a file throws */
export async function readImport(file: string): Promise<ImportFile> {
  const text = decode(file, await readFile(file));
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new ImportErrors(file, [error instanceof Error ? error.message : String(error)]);
  }
  const repeatedKeys = keysTwiceIn(text);
  if (repeatedKeys.length > 0) throw new ImportErrors(file, repeatedKeys);
  const result = ImportFile.safeParse(content);
  if (!result.success) {
    throw new ImportErrors(
      file,
      result.error.issues.flatMap((issue) => sentencesOf(issue, content)),
    );
  }
  const repeated = repetitionsIn(result.data);
  if (repeated.length > 0) throw new ImportErrors(file, repeated);
  return result.data;
}

/** Refuses bytes that are not UTF-8, and drops the byte order mark with which some editors begin. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(file: string, bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ImportErrors(file, [
      isUtf16(bytes)
        ? 'the file is UTF-16: save it as UTF-8'
        : 'the file is not UTF-8: save it as UTF-8',
    ]);
  }
}

/** UTF-16 with its byte order mark: neither FF nor FE is in any UTF-8. */
const isUtf16 = ([first, second]: Buffer): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

/** Texts and the signs that nest. In valid JSON nothing else matters for the keys. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * A key that stands twice in one object: `JSON.parse` takes the last and drops the others.
 * @param json is valid
 */
function keysTwiceIn(json: string): string[] {
  const sentences: string[] = [];
  const open: { keys: Set<string> | undefined; at: string | number }[] = [];
  let text = '';
  for (const [token] of json.matchAll(TOKEN)) {
    const top = open.at(-1);
    if (token.startsWith('"')) text = token;
    else if (token === '{') open.push({ keys: new Set(), at: '' });
    else if (token === '[') open.push({ keys: undefined, at: 0 });
    else if (token === '}' || token === ']') open.pop();
    else if (token === ',' && typeof top?.at === 'number') top.at += 1;
    else if (token === ':' && top?.keys) {
      top.at = String(JSON.parse(text));
      if (top.keys.has(top.at))
        sentences.push(`${placeOf(open.map(({ at }) => at))} appears twice`);
      top.keys.add(top.at);
    }
  }
  return sentences;
}

function sentencesOf(issue: z.core.$ZodIssue, content: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${placeOf([...issue.path, key])} is not known here`);
  }
  return [`${placeOf(issue.path)} ${ruleOf(issue, content)}`];
}

const placeOf = (path: PropertyKey[]): string =>
  path.reduce<string>((place, step) => {
    if (typeof step === 'number') return `${place}[${step}]`;
    return place === '' ? String(step) : `${place}.${String(step)}`;
  }, '') || 'the file';

/** The later one of two would win, whichever that is when they are written side by side. */
function repetitionsIn({ clubs }: ImportFile): string[] {
  const repeated = (ids: string[], place: (index: number) => string) => {
    const first = new Map<string, number>();
    return ids.flatMap((id, index) => {
      const before = first.get(id);
      if (before === undefined) first.set(id, index);
      return before === undefined ? [] : [`${place(index)} is that of ${place(before)} again`];
    });
  };
  return [
    ...repeated(
      clubs.map(({ clubId }) => clubId),
      (index) => `clubs[${index}].clubId`,
    ),
    ...clubs.flatMap(({ members }, club) =>
      repeated(
        members.map(({ userId }) => userId),
        (index) => `clubs[${club}].members[${index}].userId`,
      ),
    ),
  ];
}

export interface ImportedCounts {
  clubId: string;
  members: number;
  /** Members that were missing, or different. */
  written: number;
}

/**
 * Writes what is missing or different, and leaves alone what the file does not name. Whatever stops it
 * leaves whole members, and the same file goes on from there.
 *
 * @param progress called after each member that was written
 */
export async function importClubs(
  target: Pick<Target, 'send'>,
  { asOf: occurredAt, clubs }: ImportFile,
  progress: (club: ImportedClub, done: number, of: number) => void,
): Promise<ImportedCounts[]> {
  const counts: ImportedCounts[] = [];
  for (const club of clubs) {
    const { clubId, name, moderatorId, members } = club;
    const known = await find(target, clubId);
    if (known?.name !== name || known.moderatorId !== moderatorId) {
      await target.send({ command: 'put-club', clubId, name, moderatorId, occurredAt });
    }
    const found = new Map(known?.members.map((member) => [member.userId, member]));
    const pending = members.filter((member) => differs(member, found.get(member.userId)));
    let done = members.length - pending.length;
    progress(club, done, members.length);
    await eachOf(pending, async (member) => {
      await target.send({ command: 'put-member', clubId, ...member, occurredAt });
      done += 1;
      progress(club, done, members.length);
    });
    counts.push({ clubId, members: members.length, written: pending.length });
  }
  return counts;
}

export async function find(
  target: Pick<Target, 'send'>,
  clubId: string,
): Promise<ShownClub | undefined> {
  try {
    return await showClub(target, clubId);
  } catch (error) {
    if (error instanceof Refused && error.code === 'CLUB_NOT_FOUND') return undefined;
    throw error;
  }
}

const differs = (wanted: ImportedMember, found: ShownClub['members'][number] | undefined) =>
  !found ||
  (wanted.displayName !== undefined && wanted.displayName !== found.displayName) ||
  (wanted.role !== undefined && wanted.role !== found.role);

/** So many at once; begins with no more after the first failure, and throws it when all are back. */
export async function eachOf<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    for (const item of queue) {
      if (failure) return;
      try {
        await work(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failure) throw failure.error;
}

export const count = (number: number, noun: string): string =>
  `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
