#!/usr/bin/env bash
# The FTPS and HTTPS server of examples/java-server, on RSA, EC and Ed25519 aliases: real uploads and downloads over
# protected data connections by lftp and curl, explicit and implicit, and pages, with TLS 1.2 and 1.3 and every signature
# scheme. And how it gets its password.
source "$(dirname "${BASH_SOURCE[0]}")/java_server.sh"

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

# greeted_by KIND OPTION…: implicit FTPS signs so, and greets.
greeted_by() {
  local answer
  answer="$(printf 'QUIT\r\n' | timeout 60 openssl s_client -connect "127.0.0.1:$ftps" -CAfile "$scratch/ca.pem" \
    -verify_return_error -brief -ign_eof "${@:2}" 2>&1 || true)" # FtpServer closes without close_notify
  expect "$answer" "Verification: OK"
  expect_signed_with "$answer" "$1"
  expect "$answer" "220 "
}

serves() { # serves FTP-ALIAS HTTP-ALIAS
  settings "$1" "$2" "Hsm.keystorePassword = $pin"
  start_server
  local version
  for version in 1.2 1.3; do
    expect "$(page "$version")" "stays on its token"
    lftp_transfers "ftp://localhost:$ftp" "$version" by-lftp || fail "lftp, explicit FTPS with TLS $version"
    lftp_transfers "ftps://localhost:$ftps" "$version" by-lftp || fail "lftp, implicit FTPS with TLS $version"
    curl_transfers "$version"
  done
  every_scheme "$1" greeted_by
  every_scheme "$2" served "$https" "stays on its token"
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
server <"$scratch/typed" >"$scratch/typed.log" 2>&1 & # a log of its own: that of before says "ready" already
pids[server]=$!
echo "$pin" >"$scratch/typed"
wait_for server grep -q '^ready$' "$scratch/typed.log"
expect "$(page 1.3)" "stays on its token"
stop_java server
