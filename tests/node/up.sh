#!/usr/bin/env bash
# Brings a node up for the API server of KUBECONFIG, within what run.sh prepared: containerd with the images, kubelet,
# scheduler. Says "node: ready" when pods can come, or "node: not ready" and why, in one line; then stays.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
PATH=/run/node:$("$here/../control-plane/build.sh"):$PATH

# One line, of the last words of whoever ended.
not_ready() {
    printf 'node: not ready: %s: %s\n' "$1" "$(tail -n 1 "/run/logs/$2.log" 2>/dev/null)"
    exit 1
}

# Starts a server of this name; what it says goes to a file.
start() {
    "$@" >"/run/logs/$1.log" 2>&1 &
}

# Asks every 0.2 s, for so many seconds at most.
within() {
    local deadline=$((SECONDS + $1))
    until "${@:2}" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
}

node_is_ready() {
    [[ $(kubectl get node node --output 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]
}

mkdir /run/cni
cp "$here/network.conflist" /run/cni/node.conflist
start containerd --config "$here/containerd.toml"
within 60 ctr version || not_ready "containerd does not answer" containerd
for image in /run/node/images/*.tar; do
    ctr --namespace k8s.io images import "$image" >"/run/logs/import.log" 2>&1 || not_ready "$image is not taken" import
done

start kubelet --config "$here/kubelet.yaml" --kubeconfig "$KUBECONFIG" --root-dir /run/kubelet --hostname-override node \
    --node-ip "$NODE_ADDRESS"
start kube-scheduler --kubeconfig "$KUBECONFIG" --leader-elect=false --secure-port=0
within 120 node_is_ready || not_ready "the kubelet does not become ready" kubelet
echo "node: ready"
wait
