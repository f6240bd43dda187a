import { describe, expect, it } from 'vitest';
import { bytes, hexId } from '../../src/terminal/units.ts';

describe('numbers as people read them', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [20_480, '20.5 kB'],
    [123_456, '123 kB'],
    [4_500_000, '4.5 MB'],
  ])('%d bytes', (value, text) => expect(bytes(value)).toBe(text));

  it.each([
    ['9360123456789012345', '81e5d6b11fb5df79'],
    ['10276657743932975437', '8e9e05c52164694d'],
    ['?', '?'],
  ])('id %s as etcdctl shows it', (decimal, text) => expect(hexId(decimal)).toBe(text));
});
