#!/bin/bash
# The least that can be done: a prepared etcd is started on every host at once; ssh returns when systemd says that it is up.
#   start-only.sh SSH_CONFIG ADDRESS…
set -euo pipefail
config=$1
shift
pids=()
for address in "$@"; do
  ssh -F "$config" "$address" sudo systemctl start etcd &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
