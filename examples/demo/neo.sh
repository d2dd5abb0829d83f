# The story this product began with: a P-user that becomes a member of a Neo subaccount and gets the roles of Cloud Integration,
# which a person used to click together in the cockpit. Beside it a sender that shows a certificate, which somebody else keeps
# and renews.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

# shellcheck source=examples/demo/neo-platform.sh
source examples/demo/neo-platform.sh

p_user=P1234567
# The certificate's user, the Secret that somebody else keeps, and the one that the operator writes.
sender=tu-shop source=shop-tls secret=shop-credentials

platform_build() { command -v openssl >/dev/null || fail "openssl is missing: it makes the sender's certificate"; }

platform_start() { simulator_start; }

platform_secrets() {
    neo_secret
    begin "puts the credential of the Cloud Integration tenant beside it"
    tenant=$(simulator_credential cloud-integration)
    secret_create neo-cloud-integration <<<"$tenant"
    ok "neo-cloud-integration"
    begin "makes a pair of certificate and key, and keeps it in a Secret as cert-manager would"
    kubectl apply --filename "examples/$example/namespace.yaml" >/dev/null || fail "there is no namespace"
    certificate_kept || fail "refused"
    ok "$source, type kubernetes.io/tls"
}

# The example names a tenant that does not exist; here it stands on this machine, and takes certificates at an address of its
# own.
manifests() {
    kubectl create --dry-run=client --output yaml --filename examples/neo |
        sed -e "s|https://e123456-tmn[^ ]*|$(field url "$tenant")|" -e "s|https://e123456-iflmap[^ ]*|$simulator_mtls/runtime|"
}

# Makes a pair, and puts it into the source Secret, in the place of the one that is there.
certificate_kept() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=shop.acme.example \
        -keyout "$work/shop.key" -out "$work/shop.crt" 2>/dev/null &&
        kubectl --namespace "$team" create secret tls "$source" --cert "$work/shop.crt" --key "$work/shop.key" \
            --dry-run=client --output yaml | kubectl apply --filename - >/dev/null
}

# The status with which the sender endpoint of Cloud Integration answers a message that comes with the Secret's certificate.
send() {
    secret_value "$secret" tls.crt >"$work/sender.crt" && secret_value "$secret" tls.key >"$work/sender.key" &&
        curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' --cacert "$simulator_ca" \
            --cert "$work/sender.crt" --key "$work/sender.key" --header 'Content-Type: application/json' \
            --data '{"order":1}' "$(secret_value "$secret" url)/http/orders"
}
sender_answers() { status=$(send) && [[ $status == "$1" ]]; }

# The ids of what is mapped to the sender's user, and of nothing else: each is that of one certificate.
mapped() {
    local state
    state=$(curl --silent --show-error --fail --max-time 10 "$simulator/_simulator/state") || return 1
    { grep -o '{[^{}]*"User":"'"$sender"'"[^{}]*}' <<<"$state" | grep -o '"Id":"[^"]*"' || true; } | cut -d '"' -f 4 |
        paste -s -d ' ' -
}
# Exactly one, and another than this.
mapped_anew() { mapping=$(mapped) && [[ -n $mapping && $mapping != *' '* && $mapping != "$1" ]]; }
# This one, and another.
mapped_beside() { mapping=$(mapped) && [[ " $mapping " == *" $1 "* && $mapping == *' '* ]]; }
holds_kept_certificate() { [[ $(secret_value "$secret" tls.crt) == "$(cat "$work/shop.crt")" ]]; }

certificate_works() {
    begin "asks the tenant what is mapped to $sender"
    mapped_anew '' || fail "'$mapping' is"
    ok "one certificate, $mapping"
    begin "sends a message to Cloud Integration with the Secret's certificate"
    sender_answers 200 || fail "answered $status"
    ok "accepted ($status)"
}

certificate_is_renewed() {
    local before=$mapping
    begin "renews the certificate in $source, as cert-manager would"
    certificate_kept || fail "refused"
    eventually 20 holds_kept_certificate || fail "$secret still holds the old one"
    ok "$secret holds the new one"
    begin "asks the tenant what is mapped now"
    mapped_beside "$before" || fail "'$mapping' is"
    ok "$mapping: the old one as well, for as long as a pod may use it"
    begin "sends another message with what the Secret holds"
    sender_answers 200 || fail "answered $status"
    ok "accepted ($status)"
}

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
    roles=$(application_roles "$p_user" && application_roles "$sender") || fail "no answer"
    [[ -z ${roles//[[:space:]]/} ]] || fail "still there: $roles"
    left=$(mapped) || fail "no answer"
    [[ -z $left ]] || fail "still mapped: $left"
    ok "$p_user is no member, nobody has a role, and no certificate is mapped"
}

story() {
    token=$(administrator_token)
    objects_show
    discouraged_shows
    platform_shows_roles
    role_comes_and_goes
    drift_is_put_right
    secret_keys_show "$secret"
    certificate_works
    certificate_is_renewed
    events_show
    example_delete
    platform_is_empty
}
