/** A package installation that loses its replay half-way: apt goes on or breaks off by itself, the next replay copes with both. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../setup/process.ts';
import { Lab } from './lab.ts';

describe('a replay that is ended while the package is installed', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start({ hosts: 2, etcd: 'none' });
  });
  afterAll(async () => await lab?.stop());

  it.each([
    ['SIGINT', 0],
    ['SIGKILL', 1],
  ] as const)('by %s', async (signal, index) => {
    const host = lab.host(index);
    const name = `alone-${host.name}`;
    const hosts = [{ name: host.name, address: host.address, ssh: { user: 'pi' } }];
    const profile = await lab.controller.profile(
      { name, hosts, etcd: { install: 'package' } },
      { file: `${name}.yaml` },
    );
    const running = lab.controller.start(['replay', profile, '--yes', '--json']);
    await running.until(/"kind":"install-package","state":"started"/);
    // In the middle of unpacking, not before it.
    await sleep(700);
    running.child.kill(signal);
    const ended = await running.done;
    expect(ended).toMatchObject(signal === 'SIGINT' ? { code: 130 } : { signal });
    const next = await lab.run(['replay', profile, '--yes']);
    expect(next, `${ended.stdout}\n${next.stdout}${next.stderr}`).toMatchObject({ code: 0 });
    expect(next.stdout).toContain(`${name} is healthy: 1 of 1 up`);
    expect(await host.sh('dpkg --audit; systemctl is-enabled etcd; systemctl show -p FragmentPath --value etcd')).toBe(
      'enabled\n/etc/systemd/system/etcd.service\n',
    );
    // The package's default member was never started.
    expect(await host.exists('/var/lib/etcd/default')).toBe(false);
    const again = await lab.run(['replay', profile]);
    expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('nothing to do');
  });
});
