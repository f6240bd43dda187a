/**
 * The only way by which a value enters a shell command.
 * @returns the value as one POSIX shell word; plain words stay as they are so that commands read well.
 * @throws RangeError for a NUL byte, which no argument can carry.
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('a shell word cannot hold a NUL byte');
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Quotes each word and joins them with spaces. */
export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(' ');
}
