/** What the tests of plain lines run in a real terminal: the wizard, a host key, a secret, the plan. Arguments: result file. */
import { writeFileSync } from 'node:fs';
import { plainInteraction } from '../../src/front/plain/interaction.ts';
import { prompterOf } from '../../src/front/plain/prompter.ts';
import { plainWizard } from '../../src/front/plain/wizard.ts';
import type { WizardDraft } from '../../src/wizard/types.ts';

const { stdin, stderr, env } = process;
const io = { stdin, stderr, environment: env, interactive: stdin.isTTY === true, signal: new AbortController().signal };
const result: Record<string, unknown> = {};
const prompter = prompterOf(io);
let kept: WizardDraft | undefined;
try {
  result.answers = await plainWizard(prompter, {
    context: { takenNames: [] },
    keep: async (draft) => {
      kept = draft;
    },
  });
  const person = plainInteraction(io);
  result.key = await person.acceptHostKey({
    host: 'pi1',
    address: '10.0.0.1:22',
    type: 'ssh-ed25519',
    fingerprint: 'SHA256:abc',
  });
  result.secret = await person.secret({
    id: 'x',
    kind: 'sudo-password',
    prompt: 'sudo password for pi@pi1',
    retry: false,
  });
} catch (error) {
  result.error = (error as { code?: string }).code;
}
prompter.close();
result.kept = kept?.current;
writeFileSync(process.argv[2] ?? '/dev/null', JSON.stringify(result));
