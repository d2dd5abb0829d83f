# The story this product began with: a P-user that becomes a member of a Neo subaccount and gets the roles of Cloud Integration,
# which a person used to click together in the cockpit.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

p_user=P1234567

platform_build() { :; }

platform_start() { simulator_start; }

platform_secrets() {
    begin "puts the platform's credential into the operator's namespace"
    neo=$(simulator_credential neo)
    api=$(field url "$neo")/authorization/v1
    secret_create neo-admin <<<"$neo"
    ok "neo-admin"
}

# The platform hands out tokens against a Basic header alone.
administrator_token() {
    local answer
    answer=$(curl --silent --show-error --fail --max-time 10 --request POST --config - \
        "$(field tokenurl "$neo")?grant_type=client_credentials" \
        <<<"user = $(quoted "$(field clientid "$neo"):$(field clientsecret "$neo")")")
    field access_token "$answer"
}

# The platform's own answers; Neo spells user names in either case.
members() { call GET "$api/platform/accounts/acme/Users" "$token" --header 'Accept: application/scim+json'; }
application_roles() {
    local answer
    answer=$(call GET "$api/accounts/acme/users/roles?userId=$p_user" "$token") || return 1
    { grep -o '"name":"[^"]*"' <<<"$answer" || true; } | cut -d '"' -f 4 | sort | paste -s -d ' ' -
}
may_send() { [[ $(application_roles) == *ESBMessaging.send* ]]; }
# No answer is not taken for a no.
may_not_send() {
    local roles
    roles=$(application_roles) && [[ $roles != *ESBMessaging.send* ]]
}

platform_shows_roles() {
    local roles
    begin "asks the platform who $p_user is now"
    grep -qi "\"$p_user\"" <<<"$(members)" || fail "no member of the subaccount"
    roles=$(application_roles)
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
    ok "gone from the platform, the rest stays: $(application_roles)"
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
    roles=$(application_roles) || fail "no answer"
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
