/** Who reaches whom: over SSH channels, by what the host has where forwarding is forbidden, and from here. */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../src/embedded/ports.ts';
import { dialMatrix } from '../../src/health/reach.ts';
import { DialError, type Transport } from '../../src/remote/transport.ts';
import { must, run } from '../setup/process.ts';
import { plainServer, type Running } from './servers.ts';
import { loopback } from './transports.ts';

describe('the matrix of dials', () => {
  let open: Running;
  let closed: number;
  let folder: string;

  beforeAll(async () => {
    open = await plainServer(() => undefined);
    closed = (await freePorts(1))[0] ?? 0;
    folder = await mkdtemp(join(tmpdir(), 'etcd-wizard-reach-'));
  });
  afterAll(async () => {
    await open.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The client port answers, the peer port refuses. */
  const members = () =>
    ['pi1', 'pi2'].map((name) => ({ name, address: '127.0.0.1', clientPort: open.port, peerPort: closed }));
  const forbid = () => {
    throw new DialError('prohibited', 'administratively prohibited: open failed');
  };
  const outcomes = async (transports: Transport[], controller = false) => {
    const facts = await dialMatrix(new Map(transports.map((each) => [each.host, each])), members(), {
      controller,
      timeoutMs: 1000,
    });
    return facts.map(({ from, to, port, outcome }) => `${from} ${to} ${port} ${outcome}`).sort();
  };
  /** A host with these commands only. */
  const hostWith = async (name: string, commands: string[]): Promise<Transport> => {
    const bin = await mkdtemp(join(folder, 'bin-'));
    for (const command of commands)
      await symlink((await must('sh', ['-c', `command -v ${command}`])).trim(), join(bin, command));
    return {
      ...loopback(name, forbid),
      exec: async (script, options) => {
        const { code, stdout, stderr, elapsedMs } = await run(
          '/bin/sh',
          ['-c', script, 'sh', ...(options?.args ?? [])],
          { input: options?.input, env: { PATH: bin } },
        );
        return { code, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr), elapsedMs };
      },
    };
  };

  it('has every pair and port once, and the controller’s way to each client port', async () => {
    expect(await outcomes([loopback('pi1'), loopback('pi2')], true)).toEqual([
      'controller pi1 client open',
      'controller pi2 client open',
      'pi1 pi2 client open',
      'pi1 pi2 peer refused',
      'pi2 pi1 client open',
      'pi2 pi1 peer refused',
    ]);
  });

  it.each<[string, DialError['reason'], string]>([
    ['a firewall that drops', 'timeout', 'timeout'],
    ['no route', 'unreachable', 'unreachable'],
    ['a connection that broke', 'closed', 'unchecked'],
  ])('%s', async (_, reason, outcome) => {
    const host = loopback('pi1', () => {
      throw new DialError(reason, reason);
    });
    expect(await outcomes([host])).toEqual([`pi1 pi2 client ${outcome}`, `pi1 pi2 peer ${outcome}`]);
  });

  it('uses what the host has where forwarding is forbidden', async () => {
    expect(await outcomes([loopback('pi1', forbid)])).toEqual(['pi1 pi2 client open', 'pi1 pi2 peer refused']);
    expect(await outcomes([await hostWith('pi1', ['bash', 'timeout'])])).toEqual([
      'pi1 pi2 client open',
      'pi1 pi2 peer refused',
    ]);
  });

  it('says «unchecked» where nothing can be learnt', async () => {
    expect(await outcomes([await hostWith('pi1', [])])).toEqual(['pi1 pi2 client unchecked', 'pi1 pi2 peer unchecked']);
  });

  it('never has more than eight channels open on a host', async () => {
    let now = 0;
    let most = 0;
    const host: Transport = {
      ...loopback('pi0'),
      dial: async () => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now--;
        throw new DialError('refused', 'refused');
      },
    };
    const many = Array.from({ length: 30 }, (_, index) => ({
      ...members()[0],
      name: `pi${index}`,
      address: '127.0.0.1',
      clientPort: 1,
      peerPort: 2,
    }));
    const facts = await dialMatrix(new Map([['pi0', host]]), many, { controller: false, timeoutMs: 1000 });
    expect(facts).toHaveLength(58);
    expect(most).toBe(8);
  });
});
