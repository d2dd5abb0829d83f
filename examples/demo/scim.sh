# A user of a directory that speaks SCIM: its Secret holds the password that the directory keeps, it is in its group, and in
# the end nothing of it is left.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

secret=intake-credentials
tu_name=tu-intake

platform_build() { :; }

platform_start() { simulator_start; }

platform_secrets() {
    begin "puts the directory's administrator into the operator's namespace"
    directory=$(simulator_credential scim)
    url=$(field url "$directory") token=$(field token "$directory")
    secret_create directory-admin <<<"$directory"
    ok "directory-admin"
    begin "makes a group in the directory, which is not the operator's to make"
    local group='{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Orders"}'
    call POST "$url/Groups" "$token" --header 'Content-Type: application/scim+json' --data "$group" >/dev/null ||
        fail "refused"
    ok "Orders"
}

# The example names a directory that does not exist; here it stands on this machine.
manifests() {
    kubectl create --dry-run=client --output yaml --filename examples/scim |
        sed "s|https://directory.acme.example/scim/v2|$url|"
}

users() { call GET "$url/Users" "$token"; }
is_member() { [[ $(users) == *"\"userName\":\"$tu_name\""* && $(users) == *'"display":"Orders"'* ]]; }
# No answer is not taken for a no.
is_no_member() {
    local all
    all=$(users) && [[ $all != *'"display":"Orders"'* ]]
}

directory_shows_user() {
    begin "asks the directory for $tu_name and its groups"
    is_member || fail "it is not there, or not in Orders"
    ok "it is there, and in Orders"
}

# The simulator tells what it keeps to those who ask for secrets; the directory itself shows a password to nobody.
password_is_kept() {
    local state
    state=$(curl --silent --show-error --fail --max-time 10 "${url%/scim/v2}/_simulator/state?secrets=true") || return 1
    [[ $state == *"$(secret_value "$secret" password)"* ]]
}

credential_works() {
    begin "compares the Secret's password with the one that the directory keeps"
    password_is_kept || fail "it is another"
    ok "the same"
}

role_comes_and_goes() {
    begin "deletes RoleBinding intake-orders and asks the directory again"
    role_binding_delete intake-orders || fail "it could not be deleted"
    eventually 20 is_no_member || fail "it is still in Orders"
    ok "in no group"
    begin "applies it again"
    manifests | kubectl apply --filename - >/dev/null
    eventually 20 is_member || fail "it is not in Orders"
    ok "in Orders"
}

secret_comes_back() { secret_made_anew password password_is_kept; }

platform_is_empty() {
    begin "asks the directory for its users"
    local all
    all=$(users) || fail "no answer"
    [[ $all != *userName* ]] || fail "$all"
    ok "none is left"
}

story() {
    objects_show
    secret_keys_show "$secret"
    directory_shows_user
    credential_works
    role_comes_and_goes
    secret_comes_back
    events_show
    example_delete
    platform_is_empty
}
