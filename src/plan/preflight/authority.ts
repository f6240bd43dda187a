/** Checks of the cluster's own CA: one is made only when nobody has one. */
import type { Anchor } from '../../pki/types.ts';
import { type ClusterView, type HostView, inspectFile } from '../view.ts';
import { type Check, listed, stop, verb } from './finding.ts';

/** What the CA is for, in words. */
const WORD: Record<Anchor, string> = { client: 'CA', peer: 'peers’ CA' };

/** By XDG's default; the person may have moved it. */
const folderOf = (cluster: string) => `~/.local/state/etcd-wizard/${cluster}`;

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
  return anchors.flatMap((anchor) => {
    const holders = carriers(cluster, anchor);
    const names = holders.map(({ view }) => view.name);
    const known = ca[anchor];
    const copy = [
      'Copy this folder from the machine that made the cluster, then run the same command again:',
      folderOf(profile.name),
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
        return [
          stop('ca-elsewhere', names, {
            what: `${listed(names)} ${verb(names.length, 'carries', 'carry')} ${profile.name}’s ${WORD[anchor]}, which this machine does not have.`,
            why: 'The cluster was made from another machine. A second CA would lock the members out from each other.',
            remedy: copy,
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
    if (state.ca[anchor]?.hasKey === false) {
      return [
        stop('ca-key-missing', names, {
          what: `The key of ${profile.name}’s ${WORD[anchor]} is not on this machine.`,
          why: 'Its certificate is here, but nothing can be signed without the key.',
          remedy: copy,
        }),
      ];
    }
    return [];
  });
};
