#!/usr/bin/env bash
# The benchmarks, one after the other, without two that have servers and deaths. docs/benchmarks.md says what they are and
# what they have shown.
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

title "a group of one beside its token"
"$build/bin/keystay-bench" group

title "a group of two beside one member"
"$build/bin/keystay-bench" members

title "a token on another machine"
"$build/bin/keystay-bench" remote

title "signatures per second"
"$build/bin/keystay-bench" speed

title "handshakes per second"
"$here/handshakes.sh" "$build"
