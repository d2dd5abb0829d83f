# The quick start: a service key that works, as long as its RoleBinding says so, and a role collection for a person.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

secret=orders-credentials
role_collection=PI_Read_Only
assignment=/sap/rest/user/origin/sap.default/name/jane%40acme.example/rolecollections/$role_collection

# shellcheck source=examples/demo/workload.sh
source examples/demo/workload.sh

# For clocks of nodes that differ from the API server's; there is but one here, and somebody watches.
export NODE_CLOCK_MARGIN=1s

platform_build() { workload_build; }

platform_start() { simulator_start; }

platform_secrets() {
    begin "puts the platform's credentials into the operator's namespace"
    xsuaa=$(simulator_credential xsuaa)
    service_manager=$(simulator_credential service-manager)
    secret_create integration-xsuaa <<<"$xsuaa"
    secret_create integration-service-manager <<<"$service_manager"
    ok "integration-xsuaa, integration-service-manager"
}

# An administrator's token for one of the two APIs, whose service key is given.
administrator_token() {
    field access_token "$(token_request "$(field url "$1")/oauth/token" "$(field clientid "$1")" "$(field clientsecret "$1")")"
}

# The status with which the sender endpoint of Cloud Integration answers a message that comes with this token.
send() {
    curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' --config - \
        --header 'Content-Type: application/json' --data '{"order":1}' "$(secret_value "$secret" url)/http/orders" <<<"header = $(quoted "Authorization: Bearer $1")"
}

sender_answers() { token_fetch "$secret" && status=$(send "$token") && [[ $status == "$1" ]]; }

# Who holds the role collection, in the platform's own words.
holders() { call GET "$(field apiurl "$xsuaa")/sap/rest/authorization/v2/rolecollections/$role_collection?withUsers=true" "$xsuaa_token"; }
jane_holds() { holders | grep -q jane@acme.example; }
# No answer is not taken for a no.
jane_holds_not() {
    local answer
    answer=$(holders) && [[ $answer != *jane@acme.example* ]]
}

credential_works() {
    begin "fetches a token with the Secret's values"
    token_fetch "$secret" || fail "refused"
    [[ " $roles " == *" ESBMessaging.send "* ]] || fail "its roles are '$roles'"
    ok "it carries $roles"
    begin "sends a message to Cloud Integration with it"
    status=$(send "$token")
    [[ $status == 200 ]] || fail "answered $status"
    ok "accepted ($status)"
}

role_comes_and_goes() {
    begin "deletes RoleBinding orders-may-send and sends with a new token"
    role_binding_delete orders-may-send || fail "it could not be deleted"
    eventually 20 sender_answers 403 || fail "still answered ${status:-nothing}"
    ok "refused ($status), it carries ${roles:-no role}"
    begin "applies it again and sends with a new token"
    manifests | kubectl apply --filename - >/dev/null
    eventually 30 sender_answers 200 || fail "still answered ${status:-nothing}"
    ok "accepted ($status)"
}

secret_comes_back() {
    secret_deleted_and_back "$secret"
    begin "sends with the Secret that came back"
    eventually 10 sender_answers 200 || fail "answered ${status:-nothing}"
    ok "accepted ($status)"
}

# Whoever has read the old values goes on working with them.
old_one_works() { [[ -n $(field access_token "$(token_request "$(secret_value "$secret" tokenurl)" "$1" "$2")") ]]; }
# No answer is not taken for a no.
old_one_is_refused() { [[ $(token_status "$(secret_value "$secret" tokenurl)" "$1" "$2") == 401 ]]; }
holds_another() { [[ $(secret_value "$secret" clientsecret) != "$1" ]]; }

credential_is_replaced() {
    local id value waits began
    id=$(secret_value "$secret" clientid) value=$(secret_value "$secret" clientsecret)
    workload_start
    begin "lets old credentials end as soon as nobody uses them, instead of after an hour"
    kubectl --namespace "$team" patch technicaluser orders --type merge \
        --patch '{"spec":{"credential":{"rotation":{"minOverlap":"0s"}}}}' >/dev/null || fail "refused"
    ok "minOverlap: 0s"
    begin "asks for a new credential: annotates TechnicalUser orders with technicaluser.dev/rotate"
    kubectl --namespace "$team" annotate technicaluser orders technicaluser.dev/rotate=now >/dev/null || fail "refused"
    eventually 30 holds_another "$value" || fail "the Secret still holds the old one"
    ok "the Secret holds another"
    begin "sends with the new one, and fetches a token with the old one"
    eventually 10 sender_answers 200 || fail "answered ${status:-nothing}"
    old_one_works "$id" "$value" || fail "the old one is refused"
    eventually 20 waits_for_the_workload || fail "the old one waits for '${waits:-nothing}'"
    ok "both work; the old one waits for $waits"
    begin "rolls the Deployment out anew, and fetches a token with the old one again"
    began=$(milliseconds)
    workload_restart || fail "it does not roll out"
    eventually 60 old_one_is_refused "$id" "$value" || fail "the old one still works"
    sender_answers 200 || fail "the new one is answered ${status:-nothing}"
    ok "refused $(seconds_since "$began") later; the new one works"
}

waits_for_the_workload() {
    waits=$(kubectl --namespace "$team" get technicaluser orders --output 'jsonpath={.status.superseded[*].waitsFor[*]}')
    [[ $waits == "1 pod of Deployment orders"* ]]
}

drift_is_put_right() {
    local began
    xsuaa_token=$(administrator_token "$xsuaa")
    begin "takes $role_collection from jane on the platform, behind the operator's back"
    jane_holds || fail "she does not hold it"
    call DELETE "$(field apiurl "$xsuaa")$assignment" "$xsuaa_token" >/dev/null || fail "refused"
    began=$(milliseconds)
    jane_holds_not || fail "she still holds it"
    eventually 30 jane_holds || fail "she has not got it back"
    ok "hers again after $(seconds_since "$began"), at the next resync"
}

# What the Service Manager and XSUAA still have of ours, in their own words.
platform_is_empty() {
    local kind answer left='' token
    token=$(administrator_token "$service_manager")
    begin "asks the platform what is left"
    for kind in service_instances service_bindings; do
        answer=$(call GET "$(field sm_url "$service_manager")/v1/$kind" "$token") || fail "no answer"
        grep -q '"num_items":0' <<<"$answer" || left+=" $kind"
    done
    jane_holds_not || left+=" jane's $role_collection"
    [[ -z $left ]] || fail "still there:$left"
    ok "no service instance, no service key, no role collection"
}

story() {
    objects_show
    secret_keys_show "$secret"
    credential_works
    role_comes_and_goes
    secret_comes_back
    credential_is_replaced
    drift_is_put_right
    events_show
    example_delete
    platform_is_empty
}
