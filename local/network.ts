/** For `npm run dev -- --host`: an address of this machine that others reach, and a certificate for it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CERTIFICATE_DAYS = '30';

/** The address that other machines open, and its certificate. */
export interface PublicHost {
  address: string;
  cert: string;
  key: string;
  /** The certificate's file, which our own processes trust as well. */
  certFile: string;
  remove(): Promise<void>;
}

/**
 * The first IPv4 address of this machine that is not its own alone.
 * @throws an Error that says what to give instead
 */
export function addressOfThisMachine(): string {
  const [found] = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal);
  if (found) return found.address;
  throw new Error(
    'This machine is in no network. Give its address: npm run dev -- --host 192.168.1.5',
  );
}

/**
 * With a certificate that is made anew: camera and login need a secure context, which is https anywhere but on
 * the machine itself.
 * @throws an Error in one sentence, when the address is none, or there is no openssl
 */
export async function createPublicHost(address: string): Promise<PublicHost> {
  if (isIP(address) !== 4)
    throw new Error(`--host needs an IPv4 address of this machine, not "${address}"`);
  const dir = await mkdtemp(join(tmpdir(), 'certificate-'));
  const remove = () => rm(dir, { recursive: true, force: true });
  const [keyFile, certFile] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  try {
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', CERTIFICATE_DAYS],
      ...['-keyout', keyFile, '-out', certFile, '-subj', `/CN=${address}`],
      ...['-addext', `subjectAltName=IP:${address}`],
      ...['-addext', 'extendedKeyUsage=serverAuth'],
    ]);
    const [key, cert] = await Promise.all([readFile(keyFile, 'utf8'), readFile(certFile, 'utf8')]);
    return { address, cert, key, certFile, remove };
  } catch (cause) {
    await remove();
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new Error(
      isMissing
        ? '--host needs openssl, which makes the certificate: install it, or leave --host out'
        : `openssl made no certificate for ${address}`,
      { cause },
    );
  }
}
