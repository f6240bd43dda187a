/** The draft of an unfinished wizard: `$XDG_STATE_HOME/etcd-wizard/wizard-draft.json` (0600), offered again at the next start. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson, writeAtomic } from '../state/files.ts';
import { QUESTIONS } from '../wizard/questions.ts';
import type { WizardDraft } from '../wizard/types.ts';

export class DraftStore {
  readonly path: string;

  /** @param state the program's state folder, as `controllerPaths` gives it */
  constructor(state: string) {
    this.path = join(state, 'wizard-draft.json');
  }

  /** The draft that was left; undefined without one, or when it cannot be used any more: a draft is worth no error. */
  async load(): Promise<WizardDraft | undefined> {
    try {
      return await readJson(this.path, isDraft);
    } catch {
      return undefined;
    }
  }

  /** Keeps it; `undefined` (nothing worth keeping) forgets what was there. @throws WizardError `state` */
  async save(draft: WizardDraft | undefined): Promise<void> {
    if (draft === undefined) return this.clear();
    await writeAtomic(this.path, `${JSON.stringify(draft)}\n`, 0o600);
  }

  async clear(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The shape, so that a draft edited by hand or of another version cannot break a screen; what it says is validated again. */
function isDraft(value: unknown): value is WizardDraft {
  if (!isObject(value) || value.version !== 1 || !isObject(value.answers) || !isObject(value.typed)) return false;
  const ids = QUESTIONS.map((each) => String(each.id));
  const { hosts = [], clients = [], extraSans = [] } = value.answers;
  return (
    ids.includes(String(value.current)) &&
    isListOf(value.answered, (id) => ids.includes(String(id))) &&
    Object.values(value.typed).every((text) => typeof text === 'string') &&
    isListOf(clients, isText) &&
    isListOf(extraSans, isText) &&
    isListOf(
      hosts,
      (host) =>
        isObject(host) &&
        isText(host.name) &&
        isText(host.address) &&
        isListOf(host.dnsNames, isText) &&
        isObject(host.ssh),
    )
  );
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isListOf = (value: unknown, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isItem);
