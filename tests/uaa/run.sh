#!/usr/bin/env bash
# Runs a real UAA on 127.0.0.1 until stdin closes or a signal comes, and leaves nothing behind.
# Once it answers it prints one line of JSON: {"url":…,"clientid":…,"clientsecret":…}. It never touches the cache.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
me="tests/uaa" called="the UAA"
# shellcheck source=tests/server.sh
source "$here/../server.sh"

# The UAA reads PKCS#1 only, which OpenSSL 3 writes on demand and older ones by default.
signing_key() {
  openssl genrsa -traditional -out "$1" 2048 2>/dev/null || openssl genrsa -out "$1" 2048 2>/dev/null
}

indented() {
  sed 's/^/      /'
}

# What the war's required_configuration.yml asks for, with one client, an administrator, and with
# two groups and two people beside those that every UAA has.
write_uaa_yml() {
  cat >"$base/uaa.yml" <<YML
issuer:
  uri: $url
login:
  url: $url
  serviceProviderKey: |
$(indented <"$base/signing.pem")
  serviceProviderKeyPassword: ""
  serviceProviderCertificate: |
$(openssl req -new -x509 -key "$base/signing.pem" -subj /CN=uaa -days 2 2>/dev/null | indented)
uaa:
  url: $url
encryption:
  active_key_label: fresh
  encryption_keys:
    - label: fresh
      passphrase: $(random_hex)
jwt:
  token:
    signing-key: |
$(indented <"$base/signing.pem")
    verification-key: |
$(openssl rsa -in "$base/signing.pem" -pubout 2>/dev/null | indented)
scim:
  groups:
    orders.read: Read orders
    orders.write: Write orders
  users:
    - jane|$secret|jane@acme.example|Jane|Doe
    - joe|$secret|joe@acme.example|Joe|Doe
oauth:
  clients:
    admin:
      secret: $secret
      authorized-grant-types: client_credentials
      authorities: clients.read,clients.write,clients.secret,uaa.admin,uaa.resource,password.write
YML
}

# Tomcat with the UAA as its root application: clients ask <url>/oauth/token without any path before it.
write_server_xml() {
  mkdir -p "$base/conf" "$base/logs" "$base/temp" "$base/work" "$base/webapps"
  cp "$home/tomcat/conf/web.xml" "$home/tomcat/conf/catalina.properties" "$base/conf/"
  cat >"$base/conf/server.xml" <<XML
<Server port="-1">
  <Service name="uaa">
    <Connector address="127.0.0.1" port="$port" protocol="HTTP/1.1" maxThreads="32"/>
    <Engine name="uaa" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" autoDeploy="false">
        <Context path="" docBase="$home/uaa"/>
      </Host>
    </Engine>
  </Service>
</Server>
XML
}

start() {
  export UAA_CONFIG_PATH="$base" CATALINA_HOME="$home/tomcat" CATALINA_BASE="$base" CATALINA_TMPDIR="$base/temp"
  export CATALINA_OPTS="-Xmx768m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dspring.profiles.active=hsqldb
    -Dorg.apache.catalina.startup.EXIT_ON_INIT_FAILURE=true
    --add-opens java.base/java.lang=ALL-UNNAMED --add-opens java.base/java.util=ALL-UNNAMED
    --add-opens java.base/java.net=ALL-UNNAMED --add-opens java.base/java.io=ALL-UNNAMED
    --add-opens java.xml/com.sun.org.apache.xerces.internal.jaxp=ALL-UNNAMED"
  CATALINA_OPTS=$(echo $CATALINA_OPTS)
  tethered "$home/tomcat/bin/catalina.sh" run >"$log" 2>&1 </dev/null &
  server=$!
}

# Only our own UAA knows the secret, so a token is proof that this is not a stranger on the same port.
answers() {
  curl --silent --fail --max-time 5 --output /dev/null --data grant_type=client_credentials \
    --config - "$url/oauth/token" <<<"user = \"admin:$secret\""
}

command -v openssl >/dev/null 2>&1 || die "'openssl' is missing: it makes the UAA's signing key"
port=$(port_of "$@")
home=$("$here/build.sh")
url="http://127.0.0.1:$port"
secret="planted-$(random_hex)"
base=$(mktemp -d "${TMPDIR:-/tmp}/uaa.XXXXXX")
scratch=$base log="$base/logs/out"

signing_key "$base/signing.pem"
write_uaa_yml
write_server_xml
start
watch_input
wait_until_ready 480 # the machine may be busy
printf '{"url":"%s","clientid":"admin","clientsecret":"%s"}\n' "$url" "$secret"
wait "$server" || die "the UAA ended by itself"
