#!/bin/bash
# A three-member etcd cluster with TLS as the how-tos build it, written down as one script: cfssl for the authority and the
# certificates, scp for every file, ssh for every step, one host after the other, as people do it.
#   by-hand.sh SSH_CONFIG ETCDCTL NAME=ADDRESS…
# With START=no everything is prepared and nothing started.
set -euo pipefail
config=$1 etcdctl=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ssh() { command ssh -F "$config" "$@"; }
scp() { command scp -q -F "$config" "$@"; }

cat >ca-config.json <<'END'
{"signing": {"default": {"expiry": "43800h"}, "profiles": {
  "server": {"expiry": "43800h", "usages": ["signing", "key encipherment", "server auth", "client auth"]},
  "client": {"expiry": "43800h", "usages": ["signing", "key encipherment", "client auth"]},
  "peer": {"expiry": "43800h", "usages": ["signing", "key encipherment", "server auth", "client auth"]}}}}
END
echo '{"CN": "etcd", "key": {"algo": "ecdsa", "size": 256}}' >ca-csr.json
cfssl gencert -loglevel=5 -initca ca-csr.json | cfssljson -bare ca
echo '{"CN": "client", "key": {"algo": "ecdsa", "size": 256}}' >client.json
cfssl gencert -loglevel=5 -ca=ca.pem -ca-key=ca-key.pem -config=ca-config.json -profile=client client.json | cfssljson -bare client

initial= endpoints=
for host in "$@"; do
  initial+="${initial:+,}${host%=*}=https://${host#*=}:2380"
  endpoints+="${endpoints:+,}https://${host#*=}:2379"
done

cat >etcd.service <<'END'
[Unit]
Description=Etcd Server
After=network-online.target
[Service]
Type=notify
User=etcd
EnvironmentFile=/etc/etcd/etcd.conf
ExecStart=/usr/bin/etcd
Restart=always
RestartSec=5s
LimitNOFILE=65536
[Install]
WantedBy=multi-user.target
END

for host in "$@"; do
  name=${host%=*} address=${host#*=}
  for kind in server peer; do
    echo "{\"CN\": \"$name\", \"hosts\": [\"$name\", \"$address\", \"localhost\", \"127.0.0.1\"], \"key\": {\"algo\": \"ecdsa\", \"size\": 256}}" >$kind.json
    cfssl gencert -loglevel=5 -ca=ca.pem -ca-key=ca-key.pem -config=ca-config.json -profile=$kind $kind.json | cfssljson -bare $kind
  done
  cat >etcd.conf <<END
ETCD_NAME=$name
ETCD_DATA_DIR=/var/lib/etcd/default.etcd
ETCD_LISTEN_PEER_URLS=https://$address:2380
ETCD_LISTEN_CLIENT_URLS=https://$address:2379,https://127.0.0.1:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://$address:2380
ETCD_INITIAL_CLUSTER=$initial
ETCD_INITIAL_CLUSTER_STATE=new
ETCD_INITIAL_CLUSTER_TOKEN=etcd-cluster
ETCD_ADVERTISE_CLIENT_URLS=https://$address:2379
ETCD_CERT_FILE=/etc/etcd/ssl/server.pem
ETCD_KEY_FILE=/etc/etcd/ssl/server-key.pem
ETCD_CLIENT_CERT_AUTH=true
ETCD_TRUSTED_CA_FILE=/etc/etcd/ssl/ca.pem
ETCD_PEER_CERT_FILE=/etc/etcd/ssl/peer.pem
ETCD_PEER_KEY_FILE=/etc/etcd/ssl/peer-key.pem
ETCD_PEER_CLIENT_CERT_AUTH=true
ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd/ssl/ca.pem
END
  ssh "$address" sudo mkdir -p /etc/etcd/ssl
  for file in ca.pem server.pem server-key.pem peer.pem peer-key.pem etcd.conf etcd.service; do
    scp $file "$address:"
    case $file in
      *.pem) ssh "$address" sudo mv $file /etc/etcd/ssl/ ;;
      etcd.conf) ssh "$address" sudo mv $file /etc/etcd/ ;;
      *) ssh "$address" sudo mv $file /etc/systemd/system/ ;;
    esac
  done
  ssh "$address" 'sudo chown -R etcd: /etc/etcd && sudo chmod 600 /etc/etcd/ssl/*-key.pem'
  ssh "$address" sudo systemctl daemon-reload
  [ "${START:-yes}" = no ] || ssh "$address" sudo systemctl enable -q etcd
done
[ "${START:-yes}" != no ] || exit 0

# Without --no-block the first would wait for the second for ever.
for host in "$@"; do ssh "${host#*=}" sudo systemctl start --no-block etcd; done
until "$etcdctl" --endpoints="$endpoints" --cacert=ca.pem --cert=client.pem --key=client-key.pem endpoint health >/dev/null 2>&1; do sleep 0.1; done
