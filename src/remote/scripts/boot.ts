/**
 * sudo writes the command line of what it runs into the host's log, at every call. So what runs as root is this one
 * line, and the script itself comes first on standard input. `read` takes a pipe byte by byte: what follows the script
 * is left for it (some 10 ms for 13 kB). A script that was cut short is not run at all.
 */
export const BOOT = `s=; while IFS= read -r l; do [ "$l" != '#end' ] || { eval "$s"; exit; }; s="$s$l
"; done; exit 71`;

/** The standard input for {@link BOOT}: a script, then the script's own input. */
export function scriptThenInput(script: string, input: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from(`${script}\n#end\n`), input]);
}
