#!/usr/bin/env bash
# How long full TLS 1.3 handshakes take while a member of a group dies: keystay-tlsd with a group of two tokens, each behind a
# `p11-kit server` of its own, whose processes are killed, and in other turns stopped, so that they hang.
#
#   tests/bench/member_dies.sh [BUILD]    BUILD is build/release unless given
#
# KEYSTAY_BENCH_REPETITIONS (3) deaths of each kind; KEYSTAY_BENCH_CLIENTS (8) at a time; KEYSTAY_BENCH_DELAY (5) milliseconds
# for each C_Sign.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
: "${KEYSTAY_BENCH_CLIENTS:=8}"
# shellcheck source=tests/bench/lib.sh
source "$here/lib.sh"
# shellcheck source=tests/interop/servers/lib.sh
source "$here/../interop/servers/lib.sh"
# shellcheck source=tests/interop/servers/processes.sh
source "$here/../interop/servers/processes.sh"

readonly delay="${KEYSTAY_BENCH_DELAY:-5}"
readonly attempt_timeout=2 # seconds: the default, two fifths of the group's time-out
readonly quiet=5           # seconds before a death
readonly observed=5        # seconds after it

make_group
for member in a c; do
  start_hsm "$member"
  fault_at "$member" delay C_Sign "$((delay * 1000))"
done
admin_port="$(free_port)"
: >"$scratch/keystay.toml"
echo 'default = "front"' >>"$scratch/keystay.toml"
for member in a c; do
  cat >>"$scratch/keystay.toml" <<TOML
[token.hsm-$member]
endpoints = ["unix:$scratch/hsm-$member/p11-kit.sock"]
label = "hsm-$member"
pin = "file:$scratch/hsm-$member.pin"
lanes = 8

TOML
done
cat >>"$scratch/keystay.toml" <<TOML
[group.front]
members = ["hsm-a", "hsm-c"]
attempt-timeout = "${attempt_timeout}s"
probe = ["200ms", "500ms"]
TOML
start_tlsd tlsd "admin = \"127.0.0.1:$admin_port\""
wait_for tlsd listens "${ports[tlsd]}"

# dies KIND COMMAND …: under load, after a quiet time, the command is run. Appends to the lines of this kind: the moment of the
# death, and each handshake's begin and length.
dies() {
  local kind="$1" moment load
  shift
  start load "$KEYSTAY_BUILD/bin/keystay-handshakes" "127.0.0.1:${ports[tlsd]}" --clients "$clients" --warm-up 1 \
    --seconds "$((quiet + observed + attempt_timeout))" --timeline "$scratch/timeline"
  sleep "$((1 + quiet))" # the quiet time
  moment="$(date +%s.%N)"
  "$@"
  load="${pids[load]}"
  unset "pids[load]"
  wait "$load" || { cat "$scratch/load.log" >&2; fail "handshakes failed while a member died"; }
  awk -v moment="$moment" -v kind="$kind" '{ printf "%s\t%d\t%.6f\t%s\n", kind, NR == 1, $1 - moment, $2 }' \
    "$scratch/timeline" >>"$scratch/deaths.tsv"
  echo "$kind: $(wc -l <"$scratch/timeline") handshakes, none failed" >&2
}
revive() {
  if [[ "$1" == stopped ]]; then signal_hsm a CONT; else start_hsm a; fi
  wait_for tlsd member_is a in_service 1
}

for ((repetition = 0; repetition < repetitions; ++repetition)); do
  dies killed kill_hsm a
  revive killed
  dies stopped signal_hsm a STOP
  revive stopped
done

echo
echo "TLS 1.3, P-256; C_Sign takes $delay ms longer; two members of eight lanes; $clients clients; $repetitions deaths of each kind"
python3 "$here/death_table.py" "$scratch/deaths.tsv" "$delay" "$((attempt_timeout * 1000))"
stop tlsd TERM
