#!/usr/bin/env bash
# Every benchmark, one after the other. docs/benchmarks.md says what they are and what they have shown.
#
#   tests/bench/run.sh [BUILD]    BUILD is build/release unless given
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
build="$(cd "${1:-$here/../../build/release}" && pwd)"
readonly here build

title() { printf '\n== %s\n' "$*"; }

title "the machine"
nproc
uname -sr
sed -n 's/^model name.*: /processor: /p' /proc/cpuinfo | head -n 1
openssl version
uptime

title "module calls and allocations per signature"
"$build/bin/keystay-bench" calls

if command -v strace >/dev/null; then
  title "system calls per signature"
  "$here/system_calls.sh" "$build"
else
  echo "system calls are left out: strace is not installed"
fi

title "loading one alias of 1,000"
"$build/bin/keystay-bench" load

title "signatures per second"
"$build/bin/keystay-bench" speed

title "handshakes per second"
"$here/handshakes.sh" "$build"
