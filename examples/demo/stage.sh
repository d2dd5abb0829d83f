# What every story stands on: the binaries, a control plane, what the charts install, the simulator, the operator.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

build() {
    local began assets_file=$work/assets quiet=()
    began=$(milliseconds)
    # On a terminal cargo shows its own progress.
    [[ -t 2 ]] || quiet=(--quiet)
    begin_long "builds the operator and the simulator"
    interruptible cargo build "${quiet[@]}" --workspace --bin technical-user-operator --bin btp-simulator ||
        fail "cargo could not build them"
    ok "after $(seconds_since "$began")"
    began=$(milliseconds)
    begin_long "builds etcd, kube-apiserver and kube-controller-manager, unless this machine has them"
    interruptible tests/control-plane/build.sh >"$assets_file" || fail "see above"
    assets=$(cat "$assets_file")
    PATH=$assets:$PATH
    ok "after $(seconds_since "$began")"
    platform_build
    stage_began=$SECONDS
}

control_plane_start() {
    begin "starts etcd, a real API server with RBAC, and the controller manager"
    local began
    began=$(milliseconds)
    start control-plane "$assets/control-plane"
    announced control-plane 240
    KUBECONFIG=$(field kubeconfig "$line")
    export KUBECONFIG
    api_server=$(field server "$line")
    api_ca=$(field caFile "$line")
    ok "$api_server after $(seconds_since "$began")"
}

# The simulated platforms of btp and neo.
simulator_start() {
    begin "starts the simulator"
    start simulator target/debug/btp-simulator --listen 127.0.0.1:0 --mtls-listen 127.0.0.1:0 --exit-with-stdin
    announced simulator 30
    simulator=$(field url "$line")
    # Where it takes client certificates, and what its own is to be checked with.
    simulator_mtls=$(field mtlsUrl "$line") simulator_ca=$(field caFile "$line")
    ok "$simulator"
}

# The credential of an administrator, as the platform's cockpit would hand it out.
simulator_credential() { curl --silent --show-error --fail "$simulator/_simulator/credentials/$1"; }

charts_install() {
    begin "installs the CRDs and the operator's rights with helm"
    helm upgrade --install technical-user-operator-crds charts/technical-user-operator-crds \
        --namespace "$operator_namespace" --create-namespace >"$work/helm.log" 2>&1 || fail "$(tail -n 1 "$work/helm.log")"
    # Nothing runs pods here: the operator runs as a process, with what the chart gives it.
    helm upgrade --install technical-user-operator charts/technical-user-operator --set replicas=0 \
        --namespace "$operator_namespace" >>"$work/helm.log" 2>&1 || fail "$(tail -n 1 "$work/helm.log")"
    ok "$(kubectl get crd --no-headers | wc -l | tr -d ' ') kinds, ServiceAccount $operator_namespace/technical-user-operator"
}

# NAME, and the credential as one JSON value on standard input: how a service key is put into the cluster.
secret_create() {
    kubectl --namespace "$operator_namespace" create secret generic "$1" --from-file=credentials=/dev/stdin >/dev/null
}

# A kubeconfig with a token of the chart's ServiceAccount.
operator_kubeconfig() {
    local token
    token=$(kubectl --namespace "$operator_namespace" create token technical-user-operator --duration 24h)
    cat <<YAML
apiVersion: v1
kind: Config
current-context: operator
clusters: [{ name: demo, cluster: { server: "$api_server", certificate-authority: "$api_ca" } }]
users: [{ name: operator, user: { token: "$token" } }]
contexts: [{ name: operator, context: { cluster: demo, user: operator } }]
YAML
}

# Ready, or ended: nothing more is to be waited for.
operator_settled() { ! kill -0 "$operator" 2>/dev/null || operator_ready; }

operator_ready() {
    local address
    address=$(sed -n 's/.*listening.*[^0-9.]\([0-9.]*:[0-9][0-9]*\).*/\1/p' "$work/operator.out" "$work/operator.log" | head -n 1)
    [[ -n $address ]] && curl --silent --fail --output /dev/null "http://$address/readyz"
}

operator_start() {
    begin "starts the operator with that ServiceAccount's rights"
    local began
    began=$(milliseconds)
    operator_kubeconfig >"$work/operator.kubeconfig"
    # Its log goes to a file, where colours are no use.
    NO_COLOR=1 KUBECONFIG=$work/operator.kubeconfig start_tethered operator target/debug/technical-user-operator \
        --namespace "$operator_namespace" --http-address 127.0.0.1:0 --log-format text --leader-elect true
    operator=$started
    eventually 30 operator_settled || fail "it is not ready after 30 s"
    operator_ready || fail "it ended"
    ok "ready after $(seconds_since "$began")"
}

run_until_interrupted() {
    # Here an interrupt is the way it is meant to end.
    trap 'printf "\n"; exit 0' INT
    title "Running until Ctrl-C"
    printf '  export KUBECONFIG=%s\n' "$KUBECONFIG"
    printf '  %s -n %s get tu,trb,secrets\n' "$assets/kubectl" "$team"
    begin_long "runs the operator"
    wait "$operator" || true
    fail "it ended"
}
