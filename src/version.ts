declare const ETCD_WIZARD_VERSION: string | undefined;

/** Set by the bundler from package.json; `dev` when run from source. */
export const VERSION: string = typeof ETCD_WIZARD_VERSION === 'string' ? ETCD_WIZARD_VERSION : 'dev';
