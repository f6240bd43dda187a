/** The fact script's answers as records: tab-separated fields, some followed by lines of base64. */

export interface FactRecord {
  key: string;
  fields: string[];
  /** Decoded base64 that followed; empty when nothing did. */
  data: Buffer;
}

export interface Look {
  /** What LOOK_AS_ROOT found out; absent when LOOK was run alone. */
  privilege?: string;
  uid?: number;
  user?: string;
  records: FactRecord[];
  /** The script came to its end. */
  complete: boolean;
}

const BEGIN = '@etcd-wizard-facts';

/**
 * Finds the last look in what a host printed. Banners and other noise before it, and lines that are no answers, are
 * passed over.
 */
export function readLook(text: string): Look {
  const lines = text.split('\n');
  const begin = lines.lastIndexOf(BEGIN);
  const announced = lines.slice(0, Math.max(begin, 0)).findLast((line) => line.startsWith('@etcd-wizard-look ')) ?? '';
  const [, privilege, uid, user] = /^@etcd-wizard-look (\S+) uid=(\d+)(?:\(([^)]*)\))?/.exec(announced) ?? [];
  const records: (FactRecord & { encoded: string[] })[] = [];
  for (const line of begin < 0 ? [] : lines.slice(begin + 1)) {
    if (line.includes('\t')) {
      const [key = '', ...fields] = line.split('\t');
      records.push({ key, fields, data: Buffer.alloc(0), encoded: [] });
    } else if (/^[A-Za-z0-9+/]+={0,2}$/.test(line)) {
      records.at(-1)?.encoded.push(line);
    }
  }
  return {
    ...(uid !== undefined && { privilege, uid: Number(uid), user: user ?? uid }),
    records: records.map(({ key, fields, encoded }) => ({
      key,
      fields,
      data: Buffer.from(encoded.join(''), 'base64'),
    })),
    complete: records.some(({ key }) => key === 'end'),
  };
}

/** Host's clock in milliseconds since the epoch from a `@etcd-wizard-clock` line; busybox knows whole seconds only. */
export function readClock(text: string): { epochMs: number; resolutionMs: number } | undefined {
  const [, seconds, fraction] = /^@etcd-wizard-clock (\d{9,11}?)(\d{9})?(?:\D.*)?$/m.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  if (fraction !== undefined) return { epochMs: Number(seconds) * 1000 + Number(fraction) / 1e6, resolutionMs: 0 };
  // Cut off, not rounded: on average half a second later than it says.
  return { epochMs: Number(seconds) * 1000 + 500, resolutionMs: 500 };
}
