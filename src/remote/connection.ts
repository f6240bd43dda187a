/** One SSH connection: dial, check the host key, log in. */
import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { WizardError } from '../errors.ts';
import { Login, type Unhurried } from './auth.ts';
import type { HostKeys } from './host-keys.ts';
import type { Identities, Ssh2 } from './identities.ts';
import type { Prompter } from './prompter.ts';
import { type ConnectStage, connectError, interruptedError } from './ssh-errors.ts';
import type { SshTarget } from './ssh-target.ts';

/** What all connections of a run share. */
export interface Session {
  ssh2: Ssh2;
  prompter: Prompter;
  hostKeys: HostKeys;
  identities: Identities;
  signal: AbortSignal | undefined;
  /** Milliseconds that a host may take for each of: connecting, then handshake and login without the person's time. */
  readyMs: number;
  /** Milliseconds between signs of life; three unanswered ones end the connection. */
  keepaliveMs: number;
}

/** What took longer than this was answered by a person (or waited for another host's question). */
const PERSON_MS = 500;

/** How a connection leaves: directly, or as a channel of a bastion's. */
export interface Route {
  dial: (hostname: string, port: number, timeoutMs: number, signal: AbortSignal | undefined) => Promise<Duplex>;
  bastion?: string;
}

export const DIRECT: Route = { dial: dialDirectly };

/**
 * Opens a connection and logs in.
 * sshd closes a connection whose login takes long (LoginGraceTime); where that happened while a person was being asked,
 * it is opened again: nothing is asked twice.
 * @throws WizardError
 */
export async function openConnection(target: SshTarget, session: Session, route: Route): Promise<Client> {
  for (let attempt = 1; ; attempt++) {
    const asked = { person: false };
    try {
      return await openOnce(target, session, route, asked);
    } catch (thrown) {
      const lost = thrown instanceof WizardError && thrown.code === 'connect';
      if (!lost || !asked.person || attempt >= 5) throw thrown;
    }
  }
}

async function openOnce(
  target: SshTarget,
  session: Session,
  route: Route,
  asked: { person: boolean },
): Promise<Client> {
  const { signal } = session;
  if (signal?.aborted) throw interruptedError(target.host, 'connecting');
  const notes = [...target.notes];
  const identities = await session.identities.of(target, notes);
  const algorithms = { serverHostKey: await session.hostKeys.algorithms(target) };
  let socket: Duplex;
  try {
    socket = await route.dial(target.hostname, target.port, session.readyMs, signal);
  } catch (thrown) {
    if (thrown instanceof WizardError) throw thrown;
    if (signal?.aborted) throw interruptedError(target.host, 'connecting');
    throw connectError(target, 'dialling', thrown as Error, route.bastion);
  }
  const client = new session.ssh2.Client();
  client.setMaxListeners(0); // every dial listens for the end
  return new Promise<Client>((resolve, reject) => {
    let stage: ConnectStage = 'greeting';
    let settled = false;
    let fresh: Buffer | undefined;
    let accepted: Buffer | undefined;
    let timer: NodeJS.Timeout | undefined;
    let asking: Promise<unknown> = Promise.resolve();
    const startClock = () => {
      timer = setTimeout(() => fail(connectError(target, stage, new TimeoutError(), route.bastion)), session.readyMs);
    };
    const unhurried: Unhurried = (task) => {
      clearTimeout(timer);
      const began = performance.now();
      const done = task();
      // Whoever is asked may end the run.
      asking = done.catch((error: unknown) => {
        if (error instanceof WizardError) fail(error);
      });
      return done.finally(() => {
        asked.person ||= performance.now() - began > PERSON_MS;
        clearTimeout(timer);
        if (!settled) startClock();
      });
    };
    const login = new Login(session.ssh2, target, identities, session.prompter, unhurried);
    const onAbort = () => fail(interruptedError(target.host, 'connecting'));
    const finish = () => {
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: WizardError) => {
      if (settled) return;
      finish();
      client.destroy();
      socket.destroy();
      // A question that is open is answered first: the answer is kept for the next attempt.
      if (signal?.aborted) reject(error);
      else void asking.then(() => reject(error));
    };
    signal?.addEventListener('abort', onAbort, { once: true });

    client.on('error', (error: Error & { level?: string }) => {
      if (error.level === 'agent') return; // that key is out, the next one follows
      const rejected = error.level === 'client-authentication' || /too many authentication/i.test(error.message);
      fail(rejected ? login.failure(notes, error.message) : connectError(target, stage, error, route.bastion));
    });
    client.on('close', () => fail(connectError(target, stage, new Error('connection closed'), route.bastion)));
    client.on('handshake', () => {
      stage = 'login';
    });
    client.on('ready', () => {
      const done = async () => {
        if (fresh) await session.hostKeys.record(target, fresh);
        if (settled) return;
        finish();
        resolve(client);
      };
      done().catch(fail);
    });
    startClock();
    client.connect({
      sock: socket,
      username: target.user,
      algorithms,
      keepaliveInterval: session.keepaliveMs,
      keepaliveCountMax: 3,
      // Ours stands still while a person is being asked.
      readyTimeout: 0,
      hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => {
        if (stage === 'greeting') stage = 'handshake';
        if (accepted) return verify(accepted.equals(key)); // a key exchange later on
        unhurriedVerify(key).then(
          (isNew) => {
            accepted = Buffer.from(key);
            if (isNew) fresh = accepted;
            verify(true);
          },
          (error: WizardError) => {
            fail(error);
            verify(false);
          },
        );
      },
      authHandler: (methodsLeft, _partial, next) => {
        login.next(methodsLeft).then(
          // ssh2 takes false for «nothing left»; its types do not say so.
          (method) => next(method as Exclude<typeof method, false>),
          (error: Error) => fail(connectError(target, stage, error, route.bastion)),
        );
      },
    });
    const unhurriedVerify = (key: Buffer) =>
      unhurried(() => session.hostKeys.verify(target, key)).then((verdict) => verdict === 'new');
  });
}

class TimeoutError extends Error {
  readonly code = 'ETIMEDOUT';
  constructor() {
    super('no answer in time');
  }
}

/** Without Nagle's algorithm: with it and delayed acknowledgements every login takes a quarter of a second longer. */
function dialDirectly(
  hostname: string,
  port: number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: hostname, port, noDelay: true });
    const fail = (error: Error) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(new Error('interrupted'));
    const timer = setTimeout(() => fail(new TimeoutError()), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}
