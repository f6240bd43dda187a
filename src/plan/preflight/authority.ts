/** Checks of the cluster's own CA: one is made only when nobody has one. */
import { posix } from 'node:path';
import type { Anchor } from '../../pki/types.ts';
import { type ClusterView, type HostView, inspectFile } from '../view.ts';
import { type Check, listed, stop, verb } from './finding.ts';

/** What the CA is for, in words. */
const WORD: Record<Anchor, string> = { client: 'CA', peer: 'peers’ CA' };

/** CAs that lack the same are told of in one sentence. */
const wordFor = (anchors: readonly Anchor[]): string => {
  const [only] = anchors;
  return anchors.length === 1 && only !== undefined ? WORD[only] : 'CAs';
};

/** By XDG's default; the person may have moved it. */
const folderOf = (cluster: string) => `~/.local/state/etcd-wizard/${cluster}`;

/** With the client pair that every host has of its own. */
const saveOn = ({ member, layout: { trust, certificates } }: HostView): string =>
  `sudo ETCDCTL_API=3 etcdctl --endpoints ${member.clientUrl} --cacert ${trust.client} --cert ${certificates.client.cert} --key ${certificates.client.key} snapshot save /root/etcd.db`;

/** Hosts that trust a CA of this cluster: by our configuration beside it, or by the name that we give our CAs. */
function carriers({ input, hosts }: ClusterView, anchor: Anchor): { view: HostView; fingerprint: string }[] {
  return hosts.flatMap((view) => {
    const info = inspectFile(input, view.facts.files[view.layout.trust[anchor]]);
    if (info === undefined) return [];
    const named = info.commonName?.startsWith(`${input.profile.name} etcd `) === true;
    return view.writtenFor === input.profile.name || named ? [{ view, fingerprint: info.fingerprint }] : [];
  });
}

export const authorityHere: Check = (cluster) => {
  const { input, anchors, ca } = cluster;
  const { profile, state } = input;
  const elsewhere = anchors.filter((anchor) => state.ca[anchor] === undefined && carriers(cluster, anchor).length > 0);
  const keyless = anchors.filter((anchor) => ca[anchor] !== undefined && state.ca[anchor]?.hasKey === false);
  return anchors.flatMap((anchor) => {
    const holders = carriers(cluster, anchor);
    const names = holders.map(({ view }) => view.name);
    const known = ca[anchor];
    const folder = folderOf(profile.name);
    const copy = [
      `Copy ${folder} from the machine that made the cluster, then run the same command again:`,
      `mkdir -p ${posix.dirname(folder)} && scp -rp THAT-MACHINE:${folder.slice(2)} ${posix.dirname(folder)}/`,
    ];
    if (state.ca[anchor] !== undefined && known === undefined) {
      return [
        stop('ca-damaged', [], {
          what: `The certificate of ${profile.name}’s ${WORD[anchor]} on this machine cannot be read.`,
          why: 'Without it neither members nor certificates can be judged.',
          remedy: copy,
        }),
      ];
    }
    if (known === undefined) {
      if (names.length > 0) {
        if (anchor !== elsewhere[0]) return [];
        return [
          stop('ca-elsewhere', names, {
            what: `${listed(names)} ${verb(names.length, 'carries', 'carry')} ${profile.name}’s ${wordFor(elsewhere)}, which this machine does not have.`,
            why: 'The cluster was made from another machine. A second CA would lock the members out from each other.',
            remedy: [
              ...copy,
              'Where no machine has it any more nothing can be signed again; the data can still be saved on a host:',
              ...holders.slice(0, 1).map(({ view }) => saveOn(view)),
            ],
          }),
        ];
      }
      if (anchor === 'client' && profile.ca.fingerprint !== undefined) {
        return [
          stop('ca-missing', [], {
            what: `The profile names a CA (${profile.ca.fingerprint}) that this machine does not have.`,
            why: 'It was made when the profile was applied first.',
            remedy: [...copy, 'For a new cluster take ca.fingerprint out of the profile.'],
          }),
        ];
      }
      return [];
    }
    if (anchor === 'client' && profile.ca.fingerprint !== undefined && profile.ca.fingerprint !== known.fingerprint) {
      return [
        stop('ca-fingerprint', [], {
          what: `The CA on this machine is not the one that the profile names.`,
          why: `Here is ${known.fingerprint}; the profile says ${profile.ca.fingerprint}.`,
          remedy: copy,
        }),
      ];
    }
    const strangers = holders
      .filter(({ fingerprint }) => fingerprint !== known.fingerprint)
      .map(({ view }) => view.name);
    if (strangers.length > 0) {
      return [
        stop('ca-mismatch', strangers, {
          what: `${listed(strangers)} ${verb(strangers.length, 'trusts', 'trust')} another ${WORD[anchor]} than the one on this machine.`,
          why: 'Two machines may each have made one under the same name. Changing a CA needs a time in which both are trusted; a replay does not do that.',
          remedy: [...copy, 'To change to a new CA on purpose:', `etcd-wizard certs rotate-ca ${cluster.called}`],
        }),
      ];
    }
    if (anchor === keyless[0]) {
      return [
        stop('ca-key-missing', [], {
          what: `The ${verb(keyless.length, 'key', 'keys')} of ${profile.name}’s ${wordFor(keyless)} ${verb(keyless.length, 'is', 'are')} not on this machine.`,
          why: 'The certificate is here, but nothing can be signed without the key.',
          remedy: copy,
        }),
      ];
    }
    return [];
  });
};
