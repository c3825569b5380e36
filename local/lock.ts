/**
 * Locks of the operating system, by SQLite, which Node has built in: the system gives one back when the
 * process that holds it ends, however it ends. A file with a process id in it cannot say as much, since ids
 * are used again.
 */
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;
const SQLITE_CANTOPEN = 14;
/** A process that only looks holds a lock of its own for a moment. */
const LOOKS_WITHIN_MS = 1_000;

/** Undefined while another process, or another caller in this one, holds the lock. The empty file stays. */
export function tryLock(file: string): { release(): void } | undefined {
  const database = new DatabaseSync(file, { timeout: LOOKS_WITHIN_MS });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (isSqliteError(error, SQLITE_BUSY)) return undefined;
    throw error;
  }
}

export function isLocked(file: string): boolean {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    database.exec('SELECT * FROM sqlite_schema');
    return false;
  } catch (error) {
    if (isSqliteError(error, SQLITE_CANTOPEN)) return false;
    if (isSqliteError(error, SQLITE_BUSY)) return true;
    throw error;
  } finally {
    database?.close();
  }
}

const isSqliteError = (error: unknown, code: number): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === code;
