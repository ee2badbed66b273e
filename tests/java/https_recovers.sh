#!/usr/bin/env bash
# A running Java server outlives what HSMs do: lost sessions, a module that forgot everything, a token that was away.
# Its key objects were made at start; no restart, no second PIN.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl curl

make_token
make_ca
make_alias httpd -keyalg EC -groupname secp256r1

use_fault_module "$(softhsm_module)"
sed -i '/^pin = /d' "$KEYSTAY_CONF"

printf '# Keystay key store, version 1\ntoken = "web"\n' >"$scratch/web.keystore"
STORE_PASSWORD="$(cat "$scratch/web.pin")" start server env JAVA_HOME="$jdk" KEYSTAY_JAR="$jar" \
  JAVA_OPTIONS="${jvm_options[*]}" "$KEYSTAY_SOURCE/examples/java-https/run.sh" "$scratch/web.keystore" 0
wait_for server grep -q '^listening on port' "$scratch/server.log"
port="$(sed -n 's/^listening on port //p' "$scratch/server.log")"

page() { curl --silent --show-error --max-time 60 --cacert "$scratch/ca.pem" "https://localhost:$port/"; }
serves() { expect "$(page)" "stays on its token"; }

serves
logins="$(fault calls C_Login)"
[[ "$logins" -eq 1 ]] || fail "$logins logins at start, expected 1"

# --- what a handshake costs -------------------------------------------------------------------------------------------
calls() { # calls FUNCTION…: of these functions together
  local name sum=0
  for name in "$@"; do sum=$((sum + $(fault calls "$name"))); done
  echo "$sum"
}
readonly others=(C_OpenSession C_CloseSession C_GetSessionInfo C_GetTokenInfo C_GetSlotList C_Login C_FindObjectsInit
  C_FindObjects C_FindObjectsFinal C_GetAttributeValue C_CopyObject C_DestroyObject C_GetMechanismInfo C_GenerateRandom
  C_Digest C_DigestInit C_VerifyInit C_Verify)
signs="$(calls C_Sign)" inits="$(calls C_SignInit)" rest="$(calls "${others[@]}")"
for _ in 1 2 3 4 5; do serves; done
[[ $(($(calls C_Sign) - signs)) -eq 5 ]] || fail "a handshake is not one C_Sign"
[[ $(($(calls C_SignInit) - inits)) -eq 5 ]] || fail "a handshake is not one C_SignInit"
[[ "$(calls "${others[@]}")" -eq "$rest" ]] || fail "a handshake calls more than C_SignInit and C_Sign"

# --- what a server lives through ----------------------------------------------------------------------------------------
fault drop-sessions
serves
fault forget-initialize
serves
fault remove-token
if page >"$scratch/absent.log" 2>&1; then fail "a page was served without the token"; fi
fault return-token
wait_for server page # the token is tried again within a second
serves

stop_java server

# --- a wrong PIN costs one attempt ----------------------------------------------------------------------------------------
before="$(fault calls C_Login)"
keytool_refuses "$scratch/web.keystore" -list -storepass 999999
said "keystore password was incorrect"
[[ $(($(fault calls C_Login) - before)) -eq 1 ]] || fail "a wrong PIN was sent more than once"
