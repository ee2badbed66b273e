#!/usr/bin/env bash
# Whatever an ACME server answers, keystay says in one message what is wrong, and the token is as it was.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout "$scratch/server.key" \
  -out "$scratch/server.csr" 2>"$scratch/openssl.log"
openssl x509 -req -in "$scratch/server.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
  -extfile <(printf 'subjectAltName = DNS:localhost\nauthorityKeyIdentifier = keyid\n') -out "$scratch/server.pem" 2>>"$scratch/openssl.log"
"$keystay" -genkeypair -alias httpd -keyalg EC -dname CN=www.example -ext san=dns:www.example
"$keystay" -genkeypair -alias acme-account -keyalg EC
objects() { plain pkcs11-tool --module "$(softhsm_module)" --token-label web --login --pin 123456 --list-objects 2>/dev/null | sort; }

# says FAULT TEXT COMMAND …: what keystay says of a server with this fault.
says() {
  local fault="$1" text="$2" before code=0 port
  shift 2
  echo "== $fault"
  port="$(free_port)"
  before="$(objects)"
  start server plain "$interop/acme_server.py" "$port" "$scratch/server.pem" "$scratch/server.key" "$fault" "$scratch/server.pem"
  wait_for server listens "$port"
  "$keystay" acme issue -directory "https://localhost:$port/directory" -ca-file "$scratch/ca.pem" \
    -http-port "unix:$scratch/challenges.sock" "$@" >"$scratch/issue.out" 2>"$scratch/issue.log" </dev/null || code=$?
  expect_code "$fault" 1 "$code"
  [[ "$(wc -l <"$scratch/issue.log")" == 1 && ! -s "$scratch/issue.out" ]] || fail "not one message: $(cat "$scratch/issue.log")"
  grep -qE -- "$text" "$scratch/issue.log" || fail "no \"$text\" in: $(cat "$scratch/issue.log")"
  [[ "$(objects)" == "$before" ]] || fail "the token was changed: $(diff <(echo "$before") <(objects))"
  kill "${pids[server]}"
  wait "${pids[server]}" || true # by the signal
  unset "pids[server]"
}

says limited 'newOrder at https.*: rateLimited: too many certificates \(status 429\); the CA asks for a pause of 3600 s' -alias httpd
says nonces 'badNonce: never heard of it' -alias httpd
says clear 'https only' -alias httpd
says redirect 'status 302' -alias httpd
says page 'status 502' -alias httpd
says endless 'an answer has 1048576 bytes at most' -alias httpd
says deep 'is no directory: no JSON' -alias httpd
says nameless 'names no account' -alias httpd
says other-name 'wants an authorization for evil.example, which was not ordered' -alias httpd
says token 'offers no challenge for www.example that can be answered here' -alias httpd
says garbage 'certificate' -alias httpd
says other-key 'fits the key of alias "httpd": other public keys are certified for "CN=localhost"' -alias httpd
says other-key 'fits the key of' -alias fresh -ext san=dns:www.example
[[ ! -e "$scratch/acme.toml" ]] || fail "a renewal was recorded: $(cat "$scratch/acme.toml")"
[[ "$("$keystay" acme renew)" == "Nothing is due: $scratch/acme.toml names no certificate" ]] || fail "$("$keystay" acme renew)"
refused "$keystay" acme renew -alias httpd
expect "$(cat "$scratch/refused.log")" 'is not in'
