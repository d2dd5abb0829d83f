# A workload that reads the Secret only when it starts: a real Deployment, on a Node whose kubelet is played by kwok. Its pods
# come and go as real ones do, and run nothing.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

workload_build() {
    begin_long "builds kwok, which plays a kubelet, unless this machine has it"
    local began
    began=$(milliseconds)
    interruptible tests/kwok/build.sh >"$work/kwok.path" || fail "see above"
    ok "after $(seconds_since "$began")"
}

workload_start() {
    begin "starts Deployment orders, which takes Secret $secret as its environment"
    start_tethered kwok "$(cat "$work/kwok.path")" --kubeconfig "$KUBECONFIG" --config tests/kwok/stages.yaml \
        --manage-all-nodes --server-address 127.0.0.1:0
    workload | kubectl --namespace "$team" apply --filename - >/dev/null || fail "refused"
    workload_rolled_out || fail "its pod does not become ready"
    ok "1 pod (kwok plays its kubelet: it runs nothing)"
}

workload_rolled_out() {
    interruptible kubectl --namespace "$team" rollout status deployment/orders --timeout=60s >"$work/rollout.log" 2>&1
}

workload_restart() { kubectl --namespace "$team" rollout restart deployment/orders >/dev/null && workload_rolled_out; }

workload() {
    cat <<YAML
apiVersion: v1
kind: Node
metadata: { name: node }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: orders }
spec:
  selector: { matchLabels: { app: orders } }
  template:
    metadata: { labels: { app: orders } }
    spec:
      nodeName: node
      containers: [{ name: orders, image: orders, envFrom: [{ secretRef: { name: "$secret" } }] }]
YAML
}
