# The story this product began with, without a P-user: a user of a tenant of Cloud Identity Services that nobody has to confirm
# becomes a member of a Neo subaccount, gets the role to send, and calls Cloud Integration with its password.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

# shellcheck source=examples/demo/neo-platform.sh
source examples/demo/neo-platform.sh

secret=sender-credentials
tu_name=tu-sender

platform_build() { :; }

platform_start() { simulator_start; }

platform_secrets() {
    neo_secret
    begin "puts the tenant's administrator into the operator's namespace"
    administrator=$(simulator_credential identity-service)
    url=$(field url "$administrator")
    secret_create tenant-admin <<<"$administrator"
    ok "tenant-admin"
    begin "makes a group in the tenant, which is not the operator's to make"
    local group='{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Senders"}'
    tenant POST Groups --header 'Content-Type: application/scim+json' --data "$group" >/dev/null || fail "refused"
    ok "Senders"
}

# The example names a tenant that does not exist; here it stands on this machine.
manifests() {
    kubectl create --dry-run=client --output yaml --filename examples/identity-service |
        sed "s|https://acme.accounts.ondemand.com|$url|"
}

# What the tenant's administrator asks of it: METHOD PATH [further curl options].
tenant() {
    local method=$1 path=$2
    shift 2
    curl --silent --show-error --fail --max-time 10 --request "$method" --config - "$@" "$url/scim/$path" \
        <<<"user = $(quoted "$(field clientid "$administrator"):$(field clientsecret "$administrator")")"
}

# A password alone, at any application that the tenant logs people on for.
logs_on() {
    curl --silent --fail --max-time 10 --output /dev/null --config - "$url/logon" \
        <<<"user = $(quoted "$(secret_value "$secret" username):$(secret_value "$secret" password)")"
}

# The status with which the sender endpoint of Cloud Integration answers a message that comes with the Secret's password.
send() {
    curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' --config - \
        --header 'Content-Type: application/json' --data '{"order":1}' "$simulator/runtime/http/orders" \
        <<<"user = $(quoted "$(secret_value "$secret" username):$(secret_value "$secret" password)")"
}
sender_answers() { status=$(send) && [[ $status == "$1" ]]; }

tenant_shows_user() {
    local users
    begin "asks the tenant for $tu_name"
    users=$(tenant GET Users) || fail "no answer"
    [[ $users == *"\"userName\":\"$tu_name\""* && $users == *'"display":"Senders"'* ]] || fail "it is not there, or not in Senders"
    user_id=$(field userId "$users")
    ok "it is there as $user_id, and in Senders"
    begin "looks for mails that somebody would have to answer"
    [[ $(curl --silent --fail --max-time 10 "$simulator/_simulator/state") == *'"mails":[]'* ]] || fail "somebody was written to"
    ok "none"
}

platform_shows_roles() {
    local roles
    begin "asks Neo who $user_id is now"
    grep -qi "\"$user_id\"" <<<"$(members)" || fail "no member of the subaccount"
    roles=$(application_roles "$user_id")
    [[ $roles == ESBMessaging.send ]] || fail "its roles are '$roles'"
    ok "a member, with $roles"
}

credential_works() {
    begin "logs on with the Secret's name and password"
    logs_on || fail "refused"
    ok "accepted"
    begin "sends a message to Cloud Integration with them"
    sender_answers 200 || fail "answered $status"
    ok "accepted ($status)"
}

role_comes_and_goes() {
    begin "deletes RoleBinding sender-may-send and sends again"
    role_binding_delete sender-may-send || fail "it could not be deleted"
    eventually 20 sender_answers 403 || fail "still answered $status"
    ok "refused ($status)"
    begin "applies it again"
    manifests | kubectl apply --filename - >/dev/null
    eventually 20 sender_answers 200 || fail "still answered $status"
    ok "accepted ($status)"
}

secret_comes_back() { secret_made_anew password sender_answers 200; }

platform_is_empty() {
    local left
    begin "asks Neo and the tenant what is left"
    # Not mistaken for empty where nobody answered.
    left=$(members) || fail "no answer"
    if grep -qi "\"$user_id\"" <<<"$left"; then fail "$user_id is still a member"; fi
    left=$(application_roles "$user_id") || fail "no answer"
    [[ -z $left ]] || fail "still there: $left"
    left=$(tenant GET Users) || fail "no answer"
    [[ $left != *userName* ]] || fail "$left"
    ok "no member, no role, no user"
}

story() {
    token=$(administrator_token)
    objects_show
    secret_keys_show "$secret"
    tenant_shows_user
    platform_shows_roles
    credential_works
    role_comes_and_goes
    secret_comes_back
    events_show
    example_delete
    platform_is_empty
}
