# An OAuth client and a user of a real UAA: their Secrets work, authorities come and go, the user is in its group, and in the
# end nothing of them is left.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

secret=reports-credentials

platform_build() {
    local began
    began=$(milliseconds)
    begin_long "assembles a UAA with Maven, unless this machine has one"
    interruptible tests/uaa/build.sh >/dev/null || fail "see above"
    ok "after $(seconds_since "$began")"
}

platform_start() {
    local began
    began=$(milliseconds)
    begin "starts the UAA, some 20 s"
    start uaa tests/uaa/run.sh
    announced uaa 200
    uaa=$line
    uaa_url=$(field url "$uaa")
    ok "$uaa_url after $(seconds_since "$began")"
}

platform_secrets() {
    begin "puts the UAA's administrator into the operator's namespace"
    secret_create uaa-admin <<<"$uaa"
    ok "uaa-admin"
}

# The example names a UAA that does not exist; here it stands on this machine.
manifests() {
    kubectl create --dry-run=client --output yaml --filename examples/uaa | sed "s|https://uaa.acme.example|$uaa_url|"
}

administrator_token() {
    field access_token "$(token_request "$uaa_url/oauth/token" "$(field clientid "$uaa")" "$(field clientsecret "$uaa")")"
}

carries() { token_fetch "$secret" && [[ " $roles " == *" $1 "* ]]; }
carries_not() { token_fetch "$secret" && [[ " $roles " != *" $1 "* ]]; }

credential_works() {
    begin "fetches a token from the UAA with the Secret's values"
    if ! carries scim.read || ! carries reports.write; then fail "its authorities are '${roles:-none}'"; fi
    ok "it carries $roles"
    begin "reads the UAA's users with it, which scim.read allows"
    call GET "$uaa_url/Users?count=1" "$token" >/dev/null || fail "refused"
    ok "allowed"
}

role_comes_and_goes() {
    begin "deletes RoleBinding reports-write and fetches a new token"
    role_binding_delete reports-write || fail "it could not be deleted"
    eventually 20 carries_not reports.write || fail "it still carries $roles"
    ok "it carries $roles"
    begin "applies it again and fetches a new token"
    manifests | kubectl apply --filename - >/dev/null
    eventually 20 carries reports.write || fail "it carries $roles"
    ok "it carries $roles"
}

secret_comes_back() { secret_made_anew clientsecret carries scim.read; }

drift_is_put_right() {
    local began client id
    token=$(administrator_token)
    id=$(secret_value "$secret" clientid)
    begin "takes the client's authorities away in the UAA, behind the operator's back"
    client=$(call GET "$uaa_url/oauth/clients/$id" "$token" | sed 's/"authorities":\[[^]]*\]/"authorities":["uaa.none"]/')
    call PUT "$uaa_url/oauth/clients/$id" "$token" --header 'Content-Type: application/json' --data "$client" >/dev/null ||
        fail "refused"
    began=$(milliseconds)
    carries_not scim.read || fail "a new token still carries $roles"
    eventually 30 carries scim.read || fail "a new token carries $roles"
    ok "a new token carries $roles after $(seconds_since "$began"), at the next resync"
}

# The members of a group are shown by their ids.
user_is_in_its_group() {
    local id group
    token=$(administrator_token)
    begin "asks the UAA for the members of the group orders.read"
    id=$(call GET "$uaa_url/Users?filter=userName+eq+%22tu-reports-reader%22&attributes=id" "$token" | grep -o '"id":"[^"]*"' | cut -d '"' -f 4)
    group=$(call GET "$uaa_url/Groups?filter=displayName+eq+%22orders.read%22" "$token")
    [[ -n $id && $group == *"$id"* ]] || fail "tu-reports-reader is not among them"
    ok "tu-reports-reader is one"
}

platform_is_empty() {
    begin "asks the UAA for its clients"
    local clients
    clients=$(call GET "$uaa_url/oauth/clients" "$(administrator_token)" | grep -o '"client_id":"[^"]*"' | cut -d '"' -f 4 | tr '\n' ' ')
    [[ $clients == "admin " ]] || fail "$clients"
    ok "none but the administrator"
    begin "asks the UAA for the user"
    call GET "$uaa_url/Users?filter=userName+eq+%22tu-reports-reader%22" "$(administrator_token)" |
        grep -q '"totalResults":0' || fail "it is there"
    ok "it is gone"
}

story() {
    objects_show
    secret_keys_show "$secret"
    credential_works
    user_is_in_its_group
    role_comes_and_goes
    secret_comes_back
    drift_is_put_right
    events_show
    example_delete
    platform_is_empty
}
