/** The published types cover the package's main module only; its ASN.1 part alone loads in a tenth of the time. */
declare module 'node-forge/lib/asn1.js' {
  import { asn1 } from 'node-forge';
  export default asn1;
}
