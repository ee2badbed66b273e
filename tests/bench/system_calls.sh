#!/usr/bin/env bash
# System calls per signature, by strace: the calls of a long run less those of a short one, so that what starting and
# finding the key costs does not count.
#
#   tests/bench/system_calls.sh [BUILD]    BUILD is build/release unless given
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
bench="$(cd "${1:-$here/../../build/release}" && pwd)/bin/keystay-bench"
readonly here bench
readonly short=100 long=1100

if ! command -v strace >/dev/null; then
  echo "system_calls: strace is not installed" >&2
  exit 1
fi

scratch="$(mktemp -d)"
readonly scratch
trap 'rm -rf "$scratch"' EXIT

# count CONTENDER ALGORITHM SIGNATURES: a line "SYSTEM_CALL COUNT" for each. Key generation makes a run's own number
# of read and getrandom calls, so the threads that sign are looked at alone: the last one that strace saw.
count() {
  rm -f "$scratch"/trace.*
  strace -ff -qq -o "$scratch/trace" "$bench" sign "$1" --algorithm "$2" --signatures "$3" >"$scratch/output" 2>&1 ||
    { cat "$scratch/output" >&2; return 1; }
  local last
  last="$(find "$scratch" -name 'trace.*' | sort -t. -k2 -n | tail -n 1)"
  sed -n 's/^\([a-z_0-9]*\)(.*/\1/p' "$last" | sort | uniq -c | awk '{ print $2, $1 }'
}

printf '%-13s %-16s %9s   %s\n' "" "" "in all" "which"
for algorithm in P-256 RSA-2048 RSA-2048-PSS; do
  for contender in raw-object raw-copy native hash+raw-copy provider provider-tls native-group provider-group libp11-engine; do
    count "$contender" "$algorithm" "$short" >"$scratch/short" || continue
    count "$contender" "$algorithm" "$long" >"$scratch/long"
    awk -v signatures="$((long - short))" -v who="$(printf '%-13s %-16s' "$algorithm" "$contender")" '
      NR == FNR { before[$1] = $2; next }
      { each = ($2 - before[$1]) / signatures
        total += each
        if (each > 0.005) which = which sprintf("  %s %.2f", $1, each) }
      END { printf "%s %9.2f  %s\n", who, total, which }' "$scratch/short" "$scratch/long"
  done
done
