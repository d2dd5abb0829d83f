# The example's objects, what is to be seen of them, and what anybody with the Secret can do: the same for every environment.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

# The example's files as they stand; an environment may change an address in them.
manifests() { kubectl create --dry-run=client --output yaml --filename "examples/$example"; }

example_apply() {
    begin "kubectl apply -f examples/$example"
    local applied
    applied=$(manifests | kubectl apply --filename -) || fail "refused"
    ok "$(grep -c . <<<"$applied") objects"
}

example_wait() {
    begin "kubectl wait --for=condition=Ready"
    local began
    began=$(milliseconds)
    interruptible kubectl --namespace "$team" wait --for=condition=Ready --timeout=60s technicalusers,trb --all \
        >"$work/wait.log" 2>&1 || objects_not_ready
    ok "all Ready after $(seconds_since "$began")"
}

objects_not_ready() {
    conclude "$red" '✗' "$(tail -n 1 "$work/wait.log")"
    kubectl --namespace "$team" get platforms,technicalusers,trb --output wide | quote
    exit 1
}

objects_show() {
    begin "shows the objects"
    ok "kubectl get platforms,technicalusers,trb"
    kubectl --namespace "$team" get platforms,technicalusers,trb 2>&1 | quote
}

events_show() {
    begin "shows what happened"
    ok "$(kubectl --namespace "$team" get events --no-headers 2>/dev/null | wc -l | tr -d ' ') events"
    kubectl --namespace "$team" get events --sort-by=.metadata.creationTimestamp --output \
        custom-columns='TYPE:.type,REASON:.reason,KIND:.involvedObject.kind,NAME:.involvedObject.name,MESSAGE:.message' | quote
}

# Names only: the values are nobody's business on a screen.
secret_keys_show() {
    begin "shows the keys of Secret $1"
    local keys
    # shellcheck disable=SC2016 # $key is the template's
    keys=$(kubectl --namespace "$team" get secret "$1" --output go-template='{{range $key, $_ := .data}}{{$key}} {{end}}')
    [[ -n $keys ]] || fail "it is empty"
    ok "$keys"
}

secret_value() {
    kubectl --namespace "$team" get secret "$1" --output "go-template={{index .data \"$2\" | base64decode}}"
}

# Text as curl's configuration takes it: secrets are given to curl on standard input, where no process list shows them.
quoted() {
    local text=${1//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}

# A token request with id and secret in the body: URL ID SECRET. The answer is one line of JSON.
token_request() {
    curl --silent --show-error --fail --max-time 10 --config - "$1" <<CURL
data = "grant_type=client_credentials"
data-urlencode = $(quoted "client_id=$2")
data-urlencode = $(quoted "client_secret=$3")
CURL
}

# The status that the same is answered with.
token_status() {
    curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' --config - "$1" <<CURL
data = "grant_type=client_credentials"
data-urlencode = $(quoted "client_id=$2")
data-urlencode = $(quoted "client_secret=$3")
CURL
}

# Fetches a token with what the Secret holds, as a workload would; sets token and roles.
token_fetch() {
    local answer
    answer=$(token_request "$(secret_value "$1" tokenurl)" "$(secret_value "$1" clientid)" "$(secret_value "$1" clientsecret)") ||
        return 1
    token=$(field access_token "$answer")
    roles=$(field scope "$answer")
    [[ -n $token ]]
}

# A call with a bearer token: METHOD URL TOKEN [further curl options]. Prints the body.
call() {
    local method=$1 url=$2 bearer=$3
    shift 3
    curl --silent --show-error --fail --max-time 10 --request "$method" --config - "$@" "$url" \
        <<<"header = $(quoted "Authorization: Bearer $bearer")"
}

# Deletes the Secret by hand and measures, as the API server tells it, how long it is missing.
secret_deleted_and_back() {
    local secret=$1 event deleted='' watch
    begin "deletes Secret $secret by hand"
    exec 6< <(exec kubectl --namespace "$team" get secret "$secret" --watch --output-watch-events \
        --output 'jsonpath={.type}{"\n"}' 2>/dev/null 7>&-)
    watch=$!
    groups+=("$watch")
    read -r -t 20 -u 6 event || fail "kubectl shows no Secret"
    kubectl --namespace "$team" delete secret "$secret" --wait=false >/dev/null
    while read -r -t 20 -u 6 event; do
        if [[ $event == DELETED ]]; then deleted=$(milliseconds); fi
        if [[ $event == ADDED && -n $deleted ]]; then break; fi
    done
    [[ $event == ADDED ]] || fail "it did not come back within 20 s"
    local missing=$(($(milliseconds) - deleted))
    kill "$watch" 2>/dev/null || true
    exec 6<&-
    ((missing < 5000)) || fail "it was missing for $missing ms"
    ok "back after $missing ms"
}

# Where a platform shows a value to nobody, what is lost is made anew: another value, with which the check holds.
secret_made_anew() {
    local key=$1 before
    shift
    before=$(secret_value "$secret" "$key")
    secret_deleted_and_back "$secret"
    begin "compares the $key that came back, and uses it"
    [[ $(secret_value "$secret" "$key") != "$before" ]] || fail "it is the lost one again"
    eventually 10 "$@" || fail "it does not work"
    ok "a new one, and it works"
}

role_binding_delete() { kubectl --namespace "$team" delete trb "$1" --timeout=60s >/dev/null 2>&1; }

# Everything the example brought, namespace and Platform included.
example_delete() {
    begin "kubectl delete -f examples/$example"
    local began
    began=$(milliseconds)
    manifests >"$work/manifests.yaml"
    interruptible kubectl delete --filename "$work/manifests.yaml" --timeout=90s >"$work/delete.log" 2>&1 ||
        fail "$(tail -n 1 "$work/delete.log")"
    ok "gone after $(seconds_since "$began")"
}
