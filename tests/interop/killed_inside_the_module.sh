#!/usr/bin/env bash
# Every writing command, killed in the middle of the module's calls: at each file that SoftHSM writes, cuts or removes
# (interrupted_test kills between the calls). What it leaves is the old state or the new one; -cleanup changes no alias;
# and the command can be given again. KEYSTAY_SOAK kills at each write, and a short run at each third one.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ -z "${KEYSTAY_SANITIZE:-}" ]] || skip "the runtimes of sanitizers do not bear that their fopen is another one"
step=3
[[ -z "${KEYSTAY_SOAK:-}" ]] || step=1
readonly step

# state: the aliases and their certificates; those that a command makes anew are different each time.
state() { "$keystay" -list | grep -E "Entry,|fingerprint"; }
aliases() { grep "Entry," <<<"$1" || true; }

# sweep NAME COMMAND …: from the token as it is.
sweep() {
  local name="$1" old new left n
  shift
  rm -rf "$scratch/before"
  cp -r "$scratch/tokens" "$scratch/before"
  old="$(state || true)"
  "$keystay" "$@" 2>/dev/null
  new="$(state)"
  for ((n = 1; n < 2000; n += step)); do
    rm -rf "$scratch/tokens"
    cp -r "$scratch/before" "$scratch/tokens"
    if LD_PRELOAD="$KEYSTAY_BUILD/tests/libkeystay-kill-at-write.so" KEYSTAY_KILL_AT_WRITE="$n" \
      "$keystay" "$@" >"$scratch/killed.log" 2>&1; then
      [[ "$n" -gt 5 ]] || fail "$name: the writes of the command were not counted"
      echo "$name: $n writes"
      return
    fi
    left="$(state || true)"
    [[ "$(aliases "$left")" == "$(aliases "$old")" || "$(aliases "$left")" == "$(aliases "$new")" ]] ||
      fail "$name, killed at write $n: neither the old state nor the new one: $left"
    rm -rf "$scratch/killed"
    cp -r "$scratch/tokens" "$scratch/killed"
    "$keystay" -cleanup -noprompt >"$scratch/cleanup.log"
    [[ "$(state || true)" == "$left" ]] || fail "$name, killed at write $n: -cleanup has changed an alias"
    if "$keystay" -list | finds "nfinished"; then fail "$name, killed at write $n: -cleanup leaves something"; fi
    rm -rf "$scratch/tokens"
    mv "$scratch/killed" "$scratch/tokens"
    "$keystay" "$@" >"$scratch/again.log" 2>&1 || [[ "$(aliases "$left")" == "$(aliases "$new")" ]] ||
      fail "$name, killed at write $n: cannot be given again: $(cat "$scratch/again.log")"
    "$keystay" -cleanup -noprompt >"$scratch/cleanup.log"
    [[ "$(aliases "$(state)")" == "$(aliases "$new")" ]] || fail "$name, killed at write $n: given again, it is not done"
  done 2>/dev/null # where the shell tells of each death
  fail "$name does not come to an end"
}

make_token
make_ca
"$keystay" -genkeypair -alias other -keyalg EC -dname CN=other
sweep generation -genkeypair -alias httpd -keyalg EC -dname CN=localhost
"$keystay" -certreq -alias httpd -file "$scratch/httpd.csr"
openssl x509 -req -in "$scratch/httpd.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
  -out "$scratch/httpd.crt" 2>"$scratch/openssl-x509.log"
cat "$scratch/httpd.crt" "$scratch/ca.pem" >"$scratch/httpd.chain"
sweep renewal -importcert -noprompt -alias httpd -file "$scratch/httpd.chain"
sweep renaming -changealias -alias httpd -destalias a-name-that-is-longer
sweep deletion -delete -alias a-name-that-is-longer
sweep "a trusted certificate" -importcert -noprompt -alias root -file "$scratch/ca.pem"
