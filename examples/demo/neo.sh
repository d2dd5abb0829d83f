# The story this product began with: a P-user that becomes a member of a Neo subaccount and gets the roles of Cloud Integration,
# which a person used to click together in the cockpit.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

# shellcheck source=examples/demo/neo-platform.sh
source examples/demo/neo-platform.sh

p_user=P1234567

platform_build() { :; }

platform_start() { simulator_start; }

platform_secrets() { neo_secret; }

may_send() { [[ $(application_roles "$p_user") == *ESBMessaging.send* ]]; }
# No answer is not taken for a no.
may_not_send() {
    local roles
    roles=$(application_roles "$p_user") && [[ $roles != *ESBMessaging.send* ]]
}

platform_shows_roles() {
    local roles
    begin "asks the platform who $p_user is now"
    grep -qi "\"$p_user\"" <<<"$(members)" || fail "no member of the subaccount"
    roles=$(application_roles "$p_user")
    [[ $roles == *AuthGroup.IntegrationDeveloper* && $roles == *ESBMessaging.send* ]] || fail "its roles are '$roles'"
    ok "a member, with $roles"
}

discouraged_shows() {
    local message
    begin "reads condition Discouraged, which is an event too"
    message=$(kubectl --namespace "$team" get tu legacy-orders \
        --output 'jsonpath={.status.conditions[?(@.type=="Discouraged")].message}')
    [[ -n $message ]] || fail "it is not there"
    [[ $(kubectl --namespace "$team" get events --field-selector reason=Discouraged --no-headers 2>/dev/null) ]] ||
        fail "there is no event of that name"
    ok "$message"
}

role_comes_and_goes() {
    begin "takes ESBMessaging.send out of the RoleBinding"
    kubectl --namespace "$team" patch trb legacy-orders-integration --type=json \
        --patch '[{"op":"remove","path":"/spec/roles/2"}]' >/dev/null
    eventually 20 may_not_send || fail "the platform still has it"
    ok "gone from the platform, the rest stays: $(application_roles "$p_user")"
    begin "applies the example again"
    manifests | kubectl apply --filename - >/dev/null
    eventually 20 may_send || fail "the platform has not got it"
    ok "there again"
}

drift_is_put_right() {
    local began
    begin "takes ESBMessaging.send away on the platform, behind the operator's back"
    call DELETE "$api/accounts/acme/apps/abciflmap/roles/users?users=$p_user&roleName=ESBMessaging.send&providerAccount=sapprovider" \
        "$token" >/dev/null || fail "refused"
    began=$(milliseconds)
    may_not_send || fail "it is still there"
    eventually 30 may_send || fail "it has not come back"
    ok "there again after $(seconds_since "$began"), at the next resync"
}

platform_is_empty() {
    local roles left
    begin "asks the platform what is left"
    # Not mistaken for empty where the platform did not answer.
    left=$(members) || fail "no answer"
    if grep -qi "\"$p_user\"" <<<"$left"; then fail "$p_user is still a member"; fi
    roles=$(application_roles "$p_user") || fail "no answer"
    [[ -z $roles ]] || fail "still there: $roles"
    ok "$p_user is no member and has no role"
}

story() {
    token=$(administrator_token)
    objects_show
    discouraged_shows
    platform_shows_roles
    role_comes_and_goes
    drift_is_put_right
    events_show
    example_delete
    platform_is_empty
}
