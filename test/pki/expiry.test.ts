import { expect, it } from 'vitest';
import { daysLeft } from '../../src/pki/expiry.ts';

const DAY = 86_400_000;

it.each([
  [1.5, 1],
  [1, 1],
  [0.5, 0],
  [0, -1],
  [-0.01, -1],
  [-1.04, -1],
  [-2.9, -2],
  [-3, -3],
])('%s days from now are %s days left', (days, expected) => {
  expect(daysLeft(1000 * DAY + days * DAY, 1000 * DAY)).toBe(expected);
});
