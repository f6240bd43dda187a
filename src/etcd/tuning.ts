/** Heartbeat and election values from what was measured. */

/**
 * etcd's tuning guide: heartbeat about the round trip between members, election timeout at least ten times that; its
 * hardware guide: the 99th percentile of fsync should stay under 10 ms. A write waits for the disk of a majority, so a
 * slow disk delays heartbeats as a slow network does.
 * @param measured fsync and round trip, milliseconds
 * @returns one sentence with values to set, or undefined when the defaults (100 ms, 1000 ms) are right
 */
export function adviseTuning(measured: { fsyncP99Ms: number; roundTripMs?: number }): string | undefined {
  const { fsyncP99Ms, roundTripMs = 0 } = measured;
  if (fsyncP99Ms <= 10 && roundTripMs <= 50) return undefined;
  const heartbeat = Math.min(1000, Math.max(100, Math.ceil((fsyncP99Ms + 1.5 * roundTripMs) / 50) * 50));
  const election = Math.min(50_000, heartbeat * 10);
  const disk =
    fsyncP99Ms > 10
      ? `slow disk: fsync takes ${fsyncP99Ms.toFixed(0)} ms (99th percentile), etcd wants under 10 ms`
      : `the other members are ${roundTripMs.toFixed(0)} ms away`;
  const values =
    heartbeat > 100
      ? ` Under etcd.extraArgs set heartbeat-interval: ${heartbeat} and election-timeout: ${election} on every member.`
      : ' The default heartbeat still fits; an SSD helps more than any setting.';
  return `${disk}.${values}`;
}
