import { expect } from 'vitest';

/**
 * What a secret looks like in a text: as it is, and as base64 and base64url write it wherever in a
 * longer value it begins. Of a JWT its two parts that say something, which are base64url already.
 */
export function formsOf(secret: string): string[] {
  if (secret.startsWith('ey')) return secret.split('.').slice(1);
  const encoded = [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    // The characters at both ends depend on what stands beside the secret.
    const [first, end] = [Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6)];
    return bytes.toString('base64').slice(first, end);
  });
  const inUrls = encoded.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([secret, ...encoded, ...inUrls])];
}

/** Fails where one of the secrets is in one of the texts, and names the text and not the secret. */
export function expectNoSecret(
  texts: Iterable<[name: string, text: string | Buffer]>,
  secrets: Iterable<string>,
) {
  const forms = [...new Set([...secrets].flatMap(formsOf))];
  for (const [name, text] of texts) {
    expect(
      forms.findIndex((form) => text.includes(form)),
      `a secret is in ${name}`,
    ).toBe(-1);
  }
}
