import './avatar.css';

const TONES = 6;

/** The first letters of the first word and of the last. */
function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/u);
  return [...words.slice(0, 1), ...words.slice(1).slice(-1)]
    .map((word) => [...new Intl.Segmenter().segment(word)][0]?.segment ?? '')
    .join('')
    .toLocaleUpperCase();
}

/** The same for the same person, wherever they are shown. */
function toneOf(id: string): number {
  // FNV-1a: neighbours differ.
  let hash = 0x811c9dc5;
  for (const character of id) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return (hash >>> 0) % TONES;
}

/** Decoration: the name is always beside it. */
export function Avatar({
  id,
  name,
  size = 'medium',
}: {
  id: string;
  name: string;
  size?: 'small' | 'medium' | 'large';
}) {
  return (
    <span className={`avatar avatar--${size} avatar--tone-${toneOf(id)}`} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}
