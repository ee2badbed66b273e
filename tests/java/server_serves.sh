#!/usr/bin/env bash
# The FTPS and HTTPS server of examples/java-server, on RSA, EC and Ed25519 aliases: real uploads and downloads over
# protected data connections, explicit and implicit, and pages, with TLS 1.2 and 1.3. And how it gets its password.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl curl
[[ -d "$KEYSTAY_BUILD/java/java-server/lib" ]] || skip "Maven has not fetched the servers (see java-maven-fetches)"

make_token
sed -i '/^pin = /d' "$KEYSTAY_CONF"
make_ca
pin="$(cat "$scratch/web.pin")"
readonly pin
sed "\$a pin = \"file:$scratch/web.pin\"" "$KEYSTAY_CONF" >"$scratch/tool.toml"
for alias in rsa ec ed; do
  case "$alias" in
    rsa) key=(-keyalg RSA -keysize 2048) ;;
    ec) key=(-keyalg EC -groupname secp256r1) ;;
    ed) key=(-keyalg Ed25519) ;;
  esac
  KEYSTAY_CONF="$scratch/tool.toml" make_alias "$alias" "${key[@]}"
done
printf '# Keystay key store, version 1\ntoken = "web"\n' >"$scratch/hsm.keystore"
mkdir -p "$scratch/files"

settings() { # settings FTP-ALIAS HTTP-ALIAS [LINE…]: server.properties, on free ports
  ftp="$(free_port)" ftps="$(free_port)" https="$(free_port)"
  cat >"$scratch/server.properties" <<PROPERTIES
Hsm.keystorePath = hsm.keystore
Ftp.Hsm.enabled = true
Ftp.Hsm.keyAlias = $1
Ftp.port = $ftp
Ftp.implicitPort = $ftps
Ftp.home = files
Ftp.user = demo
Ftp.password = demo
Http.Hsm.enabled = true
Http.Hsm.keyAlias = $2
Http.port = $https
PROPERTIES
  printf '%s\n' "${@:3}" >>"$scratch/server.properties"
}
# Takes the place of the subshell that it is called in, so that a signal reaches the JVM.
server() {
  exec env JAVA_HOME="$jdk" JAVA_OPTIONS="${jvm_options[*]}" "$KEYSTAY_SOURCE/examples/java-server/run.sh" \
    "$scratch/server.properties"
}
run_curl() { curl --silent --show-error --max-time 60 --cacert "$scratch/ca.pem" "$@"; }

transfers() { # transfers explicit|implicit PORT VERSION
  python3 "$KEYSTAY_SOURCE/tests/java/ftps_transfer.py" "$@" "$scratch/ca.pem"
}

curl_transfers() { # curl_transfers VERSION: curl closes a data connection with tickets unread, so there must be none
  local options=(--ssl-reqd --user demo:demo "--tlsv$1" --tls-max "$1")
  head -c 300000 /dev/urandom >"$scratch/content"
  run_curl "${options[@]}" --upload-file "$scratch/content" "ftp://localhost:$ftp/by-curl"
  run_curl "${options[@]}" --output "$scratch/received" "ftp://localhost:$ftp/by-curl"
  cmp "$scratch/content" "$scratch/received" || fail "curl got back other bytes over TLS $1"
}

serves() { # serves FTP-ALIAS HTTP-ALIAS
  settings "$1" "$2" "Hsm.keystorePassword = $pin"
  start server server
  wait_for server grep -q '^ready$' "$scratch/server.log"
  local version
  for version in 1.2 1.3; do
    expect "$(run_curl "--tlsv$version" --tls-max "$version" "https://localhost:$https/")" "stays on its token"
    transfers explicit "$ftp" "$version"
    transfers implicit "$ftps" "$version"
    curl_transfers "$version"
  done
  stop_java server
}
serves rsa ec
serves ec rsa
serves ed ed

# --- the password ------------------------------------------------------------------------------------------------------
refuses_to_start() { # refuses_to_start WORDS: with the input that this function gets
  local code=0
  (server) >"$scratch/refused.log" 2>&1 || code=$?
  [[ "$code" -eq 1 ]] || fail "exit code $code, expected 1"
  expect "$(cat "$scratch/refused.log")" "$1"
}
settings rsa ec
refuses_to_start "no password was typed; the server does not start" </dev/null
settings rsa ec "Hsm.promptTimeout = 1"
mkfifo "$scratch/silence"
exec 9<>"$scratch/silence"
refuses_to_start "no password was typed within 1 s" <&9
settings rsa ec
refuses_to_start "keystore password was incorrect" <<<"999999"
settings rsa nobody "Hsm.keystorePassword = $pin"
refuses_to_start 'no key "nobody"' </dev/null

settings rsa ec
mkfifo "$scratch/typed"
server <"$scratch/typed" >"$scratch/server.log" 2>&1 &
pids[server]=$!
echo "$pin" >"$scratch/typed"
wait_for server grep -q '^ready$' "$scratch/server.log"
expect "$(run_curl "https://localhost:$https/")" "stays on its token"
stop_java server
