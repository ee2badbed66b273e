#!/usr/bin/env bash
# The HSM is another process (p11-kit server in front of SoftHSM), which is killed and started again under load: FTPS and
# HTTPS come back by themselves. The JVM stays, and nobody types the PIN again; the token sees it once for each start.
source "$(dirname "${BASH_SOURCE[0]}")/java_server.sh"
need p11-kit p11-kit
for client in /usr/lib/*/pkcs11/p11-kit-client.so /usr/lib64/pkcs11/p11-kit-client.so; do
  [[ ! -e "$client" ]] || break
done
[[ -e "$client" ]] || skip "p11-kit-client.so is not installed (package p11-kit-modules)"

make_token
make_ca
make_alias httpd -keyalg RSA -keysize 2048
make_alias ftpd -keyalg EC -groupname secp256r1

readonly socket="$scratch/hsm.socket"
# In a process group of its own: p11-kit serves each connection in a child, and all of them are the HSM.
start_hsm() {
  start hsm setsid p11-kit server --foreground --name "$socket" --provider "$(softhsm_module)" "pkcs11:token=web"
  wait_for hsm test -S "$socket"
}
kill_hsm() {
  kill -KILL -- "-${pids[hsm]}"
  wait "${pids[hsm]}" 2>/dev/null || true
  unset "pids[hsm]"
  rm -f "$socket"
}
# However the test ends, the HSM's processes end with it.
trap 'code=$?; set +e; [[ -z "${pids[hsm]:-}" ]] || kill -KILL -- "-${pids[hsm]}" 2>/dev/null || true; (exit "$code"); finish_in_silence' EXIT
start_hsm
export P11_KIT_SERVER_ADDRESS="unix:path=$socket"
use_fault_module "$client" # counts what is asked of the HSM
sed -i '/^pin = /d' "$KEYSTAY_CONF"

settings ftpd httpd "Hsm.keystorePassword = $(cat "$scratch/web.pin")"
start_server
file() { lftp_transfers "ftp://localhost:$ftp" 1.3 "$1"; }
# Two handshakes, of the control and of the data connection.
list() { run_curl --ssl-reqd --user demo:demo --list-only "ftp://localhost:$ftp/"; }
page 1.3 >/dev/null
file user
[[ "$(fault calls C_Login)" -eq 1 ]] || fail "$(fault calls C_Login) logins at start, expected 1"

load() { # load COMMAND …, again and again, until the file $scratch/enough is there
  until [[ -e "$scratch/enough" ]]; do "$@" || true; done
}
start load-https load page 1.2
start load-ftps load file load
returned=0
recovered() { # recovered WHAT COMMAND …: says how long after the HSM's return the command succeeds
  wait_for server "${@:2}"
  echo "$1 $((($(date +%s%N) - returned) / 1000000)) ms after the HSM's return"
}
for round in 1 2; do
  kill_hsm
  if page 1.3 >/dev/null 2>&1; then fail "a page was served without the HSM, in round $round"; fi
  if list >/dev/null 2>&1; then fail "FTPS was served without the HSM, in round $round"; fi
  start_hsm
  returned="$(date +%s%N)"
  recovered "HTTPS" page 1.3
  recovered "FTPS" list
  wait_for server file user
  [[ "$(fault calls C_Login)" -eq $((1 + round)) ]] || fail "$(fault calls C_Login) logins after $round restarts"
done
touch "$scratch/enough"
join load-https 0
join load-ftps 0
page 1.2 >/dev/null
file user
stop_java server
