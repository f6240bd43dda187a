/** The one table of questions: every front-end and the documentation read it. Order is the order of asking. */
import { CLIENT_NAME, isCertificateName, PROFILE_NAME } from '../profile/names.ts';
import { brief, hostLine, parseHosts, words } from './hosts.ts';
import { quorumSentence } from './review.ts';
import type { Answers, Question, Step } from './types.ts';

export const STEPS: readonly Step[] = [
  { id: 'cluster', title: 'Cluster' },
  { id: 'hosts', title: 'Hosts' },
  { id: 'names', title: 'Names' },
  { id: 'certificates', title: 'Certificates' },
  { id: 'install', title: 'Install' },
  { id: 'review', title: 'Review' },
];

/** What every question has unless it says otherwise. */
const plain = { when: () => true, default: () => '', validate: () => undefined } satisfies Partial<Question>;
const ownCertificates = ({ certificates }: Answers): boolean => certificates === 'own';

/** A choice: its text is the value; only what is offered is accepted. */
function choice<K extends 'addressing' | 'certificates' | 'keyAlgorithm' | 'install' | 'topology' | 'caSource'>(
  question: Omit<Question, 'kind' | 'validate' | 'parse' | 'show'> & {
    id: K;
    choices: NonNullable<Question['choices']>;
  },
): Question {
  return {
    ...question,
    kind: 'choice',
    validate: (text, answers) =>
      question.choices(answers).some((each) => each.value === text)
        ? undefined
        : `Choose one of ${question
            .choices(answers)
            .map((each) => each.value)
            .join(', ')}.`,
    parse: (text) => ({ [question.id]: text }) as Partial<Answers>,
    show: (answers) => answers[question.id] ?? '',
  };
}

const listOf = (
  text: string,
  isFine: (word: string) => boolean,
  expected: string,
  most: number,
): string | undefined => {
  const bad = words(text).find((word) => !isFine(word));
  if (bad !== undefined) return `«${brief(bad)}» is not ${expected}.`;
  return words(text).length > most ? `At most ${most}.` : undefined;
};

/** «homelab», or the first of homelab-2, homelab-3, … that is free. */
function freeName(taken: readonly string[]): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'homelab' : `homelab-${number}`;
    if (!taken.includes(name)) return name;
  }
}

export const QUESTIONS: readonly Question[] = [
  {
    ...plain,
    id: 'name',
    step: 'cluster',
    kind: 'text',
    title: 'What shall the cluster be called?',
    label: 'Name',
    why: 'The name tells your clusters apart: the saved profile, the certificate authority and the data directory on each host carry it. Nobody outside sees it, and etcd itself does not need it to be unique. It cannot be changed later without building the cluster anew.',
    hint: () => 'lower-case letters, digits and «-»',
    default: (_answers, { takenNames }) => freeName(takenNames),
    validate: (text, _answers, context) => {
      if (!PROFILE_NAME.test(text))
        return 'Use at most 63 lower-case letters, digits and «-», neither first nor last a «-».';
      return context.takenNames.includes(text)
        ? `There is already a saved cluster named ${text}; choose another name.`
        : undefined;
    },
    parse: (text) => ({ name: text }),
    show: ({ name }) => name ?? '',
  },
  choice({
    ...plain,
    id: 'topology',
    step: 'cluster',
    title: 'Does etcd stand on its own, or inside Kubernetes?',
    label: 'Topology',
    why: 'External means that etcd runs as a service of its own on these hosts: whatever uses it (Kubernetes, K3s, your programs) may run there too or elsewhere, and can fail without taking etcd with it. Stacked means that etcd runs on the control-plane nodes of a kubeadm cluster, in its layout.',
    hint: () => 'external works for everything',
    default: () => 'external',
    choices: () => [{ value: 'external', label: 'external', detail: 'etcd as a service of its own on each host.' }],
  }),
  {
    ...plain,
    id: 'hosts',
    step: 'hosts',
    kind: 'hosts',
    title: 'Which hosts will run etcd?',
    label: 'Hosts',
    why: 'Each host runs one member, and every member keeps a copy of all data. A write counts once more than half of the members have it: three members survive the loss of any one, five of any two. An even number costs a host more and survives no more. Give the fixed IP address of each host; an address that the router hands out anew would cut the member off.',
    hint: ({ hosts }) =>
      hosts?.length
        ? quorumSentence(hosts.length)
        : 'one a line, or paste a list: pi@10.0.11.1, pi1=10.0.11.1, lines of /etc/hosts',
    validate: (text, { hosts = [] }) => {
      const [failure] = parseHosts(text, hosts).failed;
      if (failure) return failure.message;
      return hosts.length === 0 && text.trim() === '' ? 'Add at least one host, such as pi@10.0.11.1.' : undefined;
    },
    parse: (text, { hosts = [] }) => ({ hosts: parseHosts(text, hosts).hosts }),
    show: ({ hosts = [] }) => hosts.map(hostLine).join('\n'),
  },
  choice({
    ...plain,
    id: 'addressing',
    step: 'names',
    title: 'How shall members find each other?',
    label: 'Members dial',
    why: 'etcd tells its clients and the other members under which URL each member is found, and the certificates are made for exactly that. Addresses need nothing else to work. With DNS names an address can change later without new certificates, but etcd then depends on your DNS server whenever it starts; names in .local do not work, because etcd does not ask mDNS.',
    hint: () => 'by address: nothing else has to work for etcd to start',
    default: ({ hosts = [] }) => (hosts.length > 0 && hosts.every((each) => each.dnsNames.length > 0) ? 'dns' : 'ip'),
    choices: () => [
      { value: 'ip', label: 'by IP address', detail: 'Nothing else has to work; the addresses must stay as they are.' },
      { value: 'dns', label: 'by DNS name', detail: 'Needs a DNS server that answers every host, also while booting.' },
    ],
  }),
  {
    ...plain,
    id: 'names',
    step: 'names',
    kind: 'names',
    title: 'Under which DNS name is each host found?',
    label: 'DNS names',
    why: 'The first name of a host goes into the URL that its member announces; all of them go into its certificates. Each name must lead to that host’s address, asked from every host; this is checked before anything is changed.',
    hint: () => 'one or more a host, separated by spaces; the first is the one announced',
    when: ({ addressing }) => addressing === 'dns',
    validate: (_text, { hosts = [] }) => {
      const without = hosts.filter((each) => each.dnsNames.length === 0).map((each) => each.name);
      return without.length > 0 ? `A DNS name is missing for ${without.join(', ')}.` : undefined;
    },
    parse: () => ({}),
    show: ({ hosts = [] }) => hosts.map((each) => `${each.name}: ${each.dnsNames.join(' ') || '—'}`).join('\n'),
  },
  choice({
    ...plain,
    id: 'caSource',
    step: 'certificates',
    title: 'Who signs the certificates?',
    label: 'CA',
    why: 'A certificate authority vouches for every member and client. The wizard makes one for this cluster alone: nothing that it signs is trusted anywhere else, and its key stays in a folder of yours on this computer, on no host.',
    hint: () => 'one of the cluster’s own',
    default: () => 'self-signed',
    choices: () => [
      { value: 'self-signed', label: 'self-signed', detail: 'A CA made for this cluster; a second one for the peers.' },
    ],
  }),
  choice({
    ...plain,
    id: 'certificates',
    step: 'certificates',
    title: 'Use the usual certificates?',
    label: 'Certificates',
    why: 'Every connection to and between members is encrypted, and both sides show a certificate. The usual set is right for nearly everybody: elliptic keys (P-256), valid for 5 years, one client certificate named root for you. The health pane shows the days that are left.',
    hint: () => 'P-256 keys, 5 years, one client named root',
    default: () => 'usual',
    choices: () => [
      { value: 'usual', label: 'yes, the usual', detail: 'P-256 keys, valid for 5 years, one client named root.' },
      { value: 'own', label: 'no, ask me', detail: 'Key algorithm, validity, clients and further names.' },
    ],
  }),
  choice({
    ...plain,
    id: 'keyAlgorithm',
    step: 'certificates',
    title: 'Which kind of keys?',
    label: 'Keys',
    why: 'All of these are safe today. P-256 is by far the quickest on small computers and is understood by everything that speaks TLS 1.2. RSA is for clients that know nothing else, or a rule that asks for it.',
    hint: () => 'ecdsa-p256: quick on a Pi and understood everywhere',
    when: ownCertificates,
    default: () => 'ecdsa-p256',
    choices: () => [
      { value: 'ecdsa-p256', label: 'ECDSA P-256', detail: 'Quick and small; the usual.' },
      { value: 'ecdsa-p384', label: 'ECDSA P-384', detail: 'For rules that ask for it; slower.' },
      { value: 'rsa-2048', label: 'RSA 2048', detail: 'For old clients.' },
      { value: 'rsa-3072', label: 'RSA 3072', detail: 'For rules that ask for it.' },
      { value: 'rsa-4096', label: 'RSA 4096', detail: 'Slow handshakes on a Pi.' },
    ],
  }),
  {
    ...plain,
    id: 'validityDays',
    step: 'certificates',
    kind: 'number',
    title: 'For how many days shall certificates be valid?',
    label: 'Valid for',
    why: 'When a certificate ends, its member refuses every connection. A long time means rarely having to renew; a short time limits the harm of a stolen key. etcd reads certificates anew at every handshake, so renewing needs no downtime.',
    hint: () => '1825 days are 5 years',
    when: ownCertificates,
    default: () => '1825',
    validate: (text) =>
      /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 36500
        ? undefined
        : 'A number of days between 1 and 36500.',
    parse: (text) => ({ validityDays: Number(text) }),
    show: ({ validityDays }) => (validityDays === undefined ? '' : String(validityDays)),
  },
  {
    ...plain,
    id: 'clients',
    step: 'certificates',
    kind: 'list',
    title: 'For whom shall client certificates be made?',
    label: 'Clients',
    why: 'Whoever wants to read or write needs a client certificate. One for yourself is enough to begin with; give each program its own, so that one can be replaced without the others. With etcd’s own user management on, the name is the user.',
    hint: () => 'names separated by spaces; root is you',
    when: ownCertificates,
    default: () => 'root',
    validate: (text) => {
      if (words(text).length === 0)
        return 'Name at least one client, such as root: without it nobody can use the cluster.';
      if (new Set(words(text)).size < words(text).length) return 'Each name once.';
      return listOf(
        text,
        (word) => CLIENT_NAME.test(word),
        'a client name: letters, digits, «.», «_», «-», «:», «@»',
        256,
      );
    },
    parse: (text) => ({ clients: words(text) }),
    show: ({ clients = [] }) => clients.join(' '),
  },
  {
    ...plain,
    id: 'extraSans',
    step: 'certificates',
    kind: 'list',
    title: 'Under which further names or addresses will clients dial?',
    label: 'Further names',
    why: 'A client refuses a server whose certificate does not hold the name that it dialled. Add the name of a load balancer, of a virtual IP or one that leads to all members. Each host’s own address and names are in anyway.',
    hint: () => 'usually none; separated by spaces, *.home is allowed',
    when: ownCertificates,
    validate: (text) => listOf(text, isCertificateName, 'a DNS name or an IP address', 64),
    parse: (text) => ({ extraSans: words(text) }),
    show: ({ extraSans = [] }) => extraSans.join(' '),
  },
  choice({
    ...plain,
    id: 'install',
    step: 'install',
    title: 'Where does the etcd program come from?',
    label: 'etcd program',
    why: 'If a host already has etcd, it can be used as it is. Otherwise the distribution’s package is the easiest: it is right for the processor of a Pi and gets security updates. The package’s own ready-made member is kept from starting.',
    hint: () => 'use what is there, else the distribution’s package',
    default: () => 'auto',
    choices: () => [
      { value: 'auto', label: 'what fits', detail: 'Use the etcd that is there; where none is, install the package.' },
      { value: 'package', label: 'the distribution’s package', detail: 'Installed with apt on every host.' },
      { value: 'present', label: 'what is there', detail: 'Install nothing; stop if a host has no etcd.' },
    ],
  }),
  {
    ...plain,
    id: 'review',
    step: 'review',
    kind: 'review',
    title: 'Is this right?',
    label: 'Review',
    why: 'Nothing has been done so far and no host was changed. When you agree, the answers are saved as a profile, the hosts are looked at, and a plan of every change is shown; only when you agree to that one, too, is anything done.',
    hint: () => 'saved as a profile; then the plan is shown before anything changes',
    parse: () => ({}),
    show: () => '',
  },
];
