# shellcheck shell=bash
# What the benchmarks share that measure servers by handshakes. A script sources this file with its own arguments, of which the
# first may be the build directory, then tests/interop/lib.sh (or the lib.sh of its servers), which wants KEYSTAY_SOURCE and
# KEYSTAY_BUILD.
set -euo pipefail
bench="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly bench
export KEYSTAY_SOURCE="${bench%/tests/bench}"
KEYSTAY_BUILD="$(cd "${1:-$KEYSTAY_SOURCE/build/release}" && pwd)"
export KEYSTAY_BUILD

readonly seconds="${KEYSTAY_BENCH_SECONDS:-3}"
readonly repetitions="${KEYSTAY_BENCH_REPETITIONS:-3}"
readonly clients="${KEYSTAY_BENCH_CLIENTS:-64}"
readonly workers=2        # of each server
readonly client_threads=2 # one alone would be busy before the servers are

declare -A ports=()
servers=()

# start_tlsd NAME [LINE]: keystay-tlsd with the tokens of $KEYSTAY_CONF, whose alias "httpd" it serves with, and the line in
# [tlsd].
start_tlsd() {
  local name="$1" line="${2:-}"
  ports[$name]="$(free_port)"
  cp "$KEYSTAY_CONF" "$scratch/$name.toml"
  cat >>"$scratch/$name.toml" <<TOML

[tlsd]
threads = $workers
$line

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:${ports[$name]}"]
certificates = ["httpd"]
backend = "none"

[tlsd.backend.none]
servers = ["127.0.0.1:9"]
TOML
  start "$name" "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/$name.toml"
  servers+=("$name")
}

# measure LATENCY SERVER: appends a line to results.tsv.
measure() {
  local latency="$1" server="$2" columns
  columns="$("$KEYSTAY_BUILD/bin/keystay-handshakes" "127.0.0.1:${ports[$server]}" --clients "$clients" \
    --threads "$client_threads" --seconds "$seconds" --warm-up 0.5 --columns)" || true # the table shows what failed
  printf '%s\t%s\t%s\n' "$latency" "$server" "$columns" | tee -a "$scratch/results.tsv" >&2
}

# measure_all SET_DELAY: all `servers` in turn, at each of the `latencies` in milliseconds, which SET_DELAY gets, as often as
# `repetitions` says.
measure_all() {
  local set_delay="$1" server latency repetition
  for server in "${servers[@]}"; do wait_for "$server" listens "${ports[$server]}"; done
  for ((repetition = 0; repetition < repetitions; ++repetition)); do
    for latency in $latencies; do
      "$set_delay" "$latency"
      for server in "${servers[@]}"; do measure "$latency" "$server"; done
    done
  done
}

# handshake_table PEER: the medians of what was measured, and the ratio to PEER.
handshake_table() { python3 "$bench/handshake_table.py" "$scratch/results.tsv" "$1"; }
