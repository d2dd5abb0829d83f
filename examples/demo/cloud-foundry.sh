# Cloud Foundry: a service key in a space, and a person who becomes a developer there, and so a member of the organization.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

secret=shipping-credentials
person=joe@acme.example

platform_build() { :; }

platform_start() { simulator_start; }

platform_secrets() {
    begin "puts the technical user into the operator's namespace"
    local user
    cloud_foundry=$(simulator_credential cloud-foundry)
    api=$(field url "$cloud_foundry")
    # Where the UAA is stands in the root of the API. On BTP the operator knows it from the API's address.
    uaa=$(curl --silent --show-error --fail "$api/" | sed -n 's/.*"uaa":{"href":"\([^"]*\)".*/\1/p')
    [[ -n $uaa ]] || fail "the API does not say where its UAA is"
    user=${cloud_foundry%\}}
    secret_create cloud-foundry-admin <<<"$user,\"uaaurl\":\"$uaa\"}"
    ok "cloud-foundry-admin, who is $(field username "$cloud_foundry")"
}

# The example names a Cloud Foundry that does not exist; here it stands on this machine.
manifests() {
    kubectl create --dry-run=client --output yaml --filename examples/cloud-foundry |
        sed "s|https://api.cf.acme.example|$api|"
}

# As a person logs on with the command line: with the client `cf`, which has no secret.
administrator_token() {
    local answer
    answer=$(curl --silent --show-error --fail --max-time 10 --user cf: --config - "$uaa/oauth/token" <<CURL
data = "grant_type=password"
data-urlencode = $(quoted "username=$(field username "$cloud_foundry")")
data-urlencode = $(quoted "password=$(field password "$cloud_foundry")")
data-urlencode = $(quoted "login_hint={\"origin\":\"$(field origin "$cloud_foundry")\"}")
CURL
    )
    field access_token "$answer"
}

# The status with which the sender endpoint of Cloud Integration answers a message that comes with this token.
send() {
    curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' --config - \
        --header 'Content-Type: application/json' --data '{"order":1}' "$(secret_value "$secret" url)/http/shipping" <<<"header = $(quoted "Authorization: Bearer $1")"
}

sender_answers() { token_fetch "$secret" && status=$(send "$token") && [[ $status == "$1" ]]; }

# The guid of the first thing in an answer that has an address of its own in a collection.
guid_of() { { grep -o "/v3/$1/[0-9a-f-]\{36\}" <<<"$2" || true; } | head -n 1 | cut -d / -f 4; }

# The platform's own answer: the roles of the person, also of one whom it has not heard of yet.
roles_of_person() {
    local answer user
    answer=$(call GET "$api/v3/users?usernames=$person&origins=acme-platform" "$administrator") || return 1
    user=$(guid_of users "$answer")
    if [[ -z $user ]]; then return 0; fi
    answer=$(call GET "$api/v3/roles?user_guids=$user${1:-}" "$administrator") || return 1
    if [[ -n ${1:-} ]]; then
        guid_of roles "$answer"
        return 0
    fi
    { grep -o '"type":"[a-z_]*"' <<<"$answer" || true; } | cut -d '"' -f 4 | sort | paste -s -d ' ' -
}
person_has() { [[ $(roles_of_person) == "$1" ]]; }

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

person_develops() {
    begin "asks the platform what $person may do"
    person_has "organization_user space_developer" || fail "it says '$(roles_of_person)'"
    ok "$(roles_of_person): the first was not asked for, and the second needs it"
}

role_comes_and_goes() {
    begin "deletes RoleBinding shipping-may-send and sends with a new token"
    role_binding_delete shipping-may-send || fail "it could not be deleted"
    eventually 20 sender_answers 403 || fail "still answered ${status:-nothing}"
    ok "refused ($status), it carries ${roles:-no role}"
    begin "applies it again and sends with a new token"
    manifests | kubectl apply --filename - >/dev/null
    eventually 30 sender_answers 200 || fail "still answered ${status:-nothing}"
    ok "accepted ($status)"
}

drift_is_put_right() {
    local began role
    begin "takes space_developer from $person on the platform, behind the operator's back"
    role=$(roles_of_person '&types=space_developer')
    [[ -n $role ]] || fail "there is none"
    call DELETE "$api/v3/roles/$role" "$administrator" >/dev/null || fail "refused"
    began=$(milliseconds)
    eventually 10 person_has organization_user || fail "it says '$(roles_of_person)'"
    eventually 30 person_has "organization_user space_developer" || fail "it has not come back"
    ok "there again after $(seconds_since "$began"), at the next resync"
}

platform_is_empty() {
    local kind answer left=''
    begin "asks the platform what is left"
    for kind in service_instances service_credential_bindings; do
        answer=$(call GET "$api/v3/$kind" "$administrator") || fail "no answer"
        grep -q '"total_results":0' <<<"$answer" || left+=" $kind"
    done
    person_has "" || left+=" roles of $person"
    [[ -z $left ]] || fail "still there:$left"
    ok "no service instance, no service key, and $person has no role"
}

story() {
    administrator=$(administrator_token)
    objects_show
    secret_keys_show "$secret"
    credential_works
    person_develops
    role_comes_and_goes
    secret_deleted_and_back "$secret"
    drift_is_put_right
    events_show
    example_delete
    platform_is_empty
}
