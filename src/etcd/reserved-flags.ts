/**
 * etcd flags that a profile may not set through `extraArgs`: the wizard decides them, and a second value would
 * either be fatal (flag and environment of one name, etcd's pkg/flags) or open the cluster.
 */

const RESERVED: readonly [RegExp, string][] = [
  [
    /^(cert|key|trusted-ca|peer-cert|peer-key|peer-trusted-ca|client-cert|client-key|peer-client-cert|peer-client-key|client-crl|peer-crl)-file$/,
    'the wizard sets the certificate files itself',
  ],
  [
    /^(client-cert-auth|peer-client-cert-auth|auto-tls|peer-auto-tls|ca-file|peer-ca-file|self-signed-cert-validity)$/,
    'the wizard sets client authentication itself',
  ],
  [
    /^(client-cert-allowed-hostname|peer-cert-allowed-cn|peer-cert-allowed-hostname|(experimental-)?peer-skip-client-san-verification|insecure-.*)$/,
    'who may connect is not decided through extraArgs',
  ],
  [
    /^(auth-token|bcrypt-cost|host-whitelist|cors|enable-v2|experimental-enable-v2v3)$/,
    'authentication and access are not decided through extraArgs',
  ],
  [
    /^(listen|advertise|initial-advertise)-.*urls?$|^listen-client-http-urls$|^discovery.*$|^proxy.*$/,
    'URLs come from the hosts’ addresses, names and ports',
  ],
  [
    /^(name|data-dir|wal-dir|config-file|initial-cluster|initial-cluster-state|initial-cluster-token|force-new-cluster|unsafe-.*)$/,
    'it comes from other fields of the profile',
  ],
];

/**
 * @param extraArgs flag names without dashes and their values
 * @returns pairs of flag and reason, one for each that may not stand there
 */
export function checkExtraArgs(extraArgs: Readonly<Record<string, unknown>>): [flag: string, expected: string][] {
  return Object.keys(extraArgs).flatMap((flag): [string, string][] => {
    if (!/^[a-z][a-z0-9-]*$/.test(flag))
      return [[flag, 'the name of an etcd flag without dashes in front, such as quota-backend-bytes']];
    const reserved = RESERVED.find(([pattern]) => pattern.test(flag));
    return reserved ? [[flag, `another flag: ${reserved[1]}`]] : [];
  });
}
