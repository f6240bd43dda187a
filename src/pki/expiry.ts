/** How long a certificate is good for, in days as people count them. */
const DAY_MS = 86_400_000;

/**
 * Whole days that are left of it, both in epoch milliseconds: 0 is «today». Once it has expired the days that are over, as
 * a negative number and at least one: -1 is «yesterday», also for one that expired a minute ago.
 */
export function daysLeft(notAfter: number, now: number): number {
  const days = (notAfter - now) / DAY_MS;
  return days > 0 ? Math.floor(days) : Math.min(-1, Math.ceil(days));
}
