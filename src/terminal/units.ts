/** Numbers as people read them. Pure. */

/** Bytes in the unit that a person reads, with at most one decimal. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** etcd's JSON gives ids as decimal numbers; etcdctl and the logs show them in hexadecimal, and people compare with those. */
export const hexId = (decimal: string): string => (/^\d{1,20}$/.test(decimal) ? BigInt(decimal).toString(16) : decimal);
