# What a Neo subaccount's administrator asks the platform, whoever the story is about.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

neo_secret() {
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
    answer=$(call GET "$api/accounts/acme/users/roles?userId=$1" "$token") || return 1
    { grep -o '"name":"[^"]*"' <<<"$answer" || true; } | cut -d '"' -f 4 | sort | paste -s -d ' ' -
}
