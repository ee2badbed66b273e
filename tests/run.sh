#!/usr/bin/env bash
# Installs what is missing, checks form and architecture, builds, and runs every test. The last line is
# `N passed, N failed, N skipped`; the exit code is 0 only if tests ran and none failed. A test that is skipped and not on
# the list of tests/allowed-skips.txt counts as failed.
#
#   tests/run.sh            the release build and all tests
#   tests/run.sh --asan     the same under AddressSanitizer and UndefinedBehaviorSanitizer (without Java)
#   tests/run.sh --tsan     the same under ThreadSanitizer (without Java)
#   tests/run.sh --soak     all tests, the long ones in full length
#   tests/run.sh --bench    the benchmarks instead of the tests
#   tests/run.sh --fuzz     the fuzz targets instead of the tests, 200,000 inputs each, under the sanitizers of --asan
#   tests/run.sh --packages builds the packages twice, compares them, and tries them in a bare Debian root and a container, as root
#   tests/run.sh --debian13 the same on Debian 13, in a root that scripts/debian13.sh makes: the tree of the last commit
#   --no-install            install nothing; may be given with any of them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=release
what=tests
install=yes
debian13=no
elsewhere=() # the arguments of the run on Debian 13
for argument in "$@"; do
  [[ "$argument" == --debian13 ]] || elsewhere+=("$argument")
  case "$argument" in
    --asan) preset=asan ;;
    --tsan) preset=tsan ;;
    --soak) export KEYSTAY_SOAK=1 ;;
    --bench) what=benchmarks ;;
    --fuzz) preset=asan what=fuzz ;;
    --packages) what=packages ;;
    --debian13) debian13=yes ;;
    --no-install) install=no ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option $argument; try --help" >&2; exit 2 ;;
  esac
done

if [[ "$debian13" == yes ]]; then exec scripts/debian13.sh tests/run.sh "${elsewhere[@]}"; fi

readonly build="build/$preset"
jobs="$(nproc)"
readonly jobs

step() { printf '\n== %s (%ds)\n' "$*" "$SECONDS"; }

# SoftHSM writes a file anew for each change of an object, and a disk makes each of these wait: half the time of the
# tests. Where the system has a directory in memory that is large enough and lets programs run, the tests' files go there.
use_memory() {
  [[ -z "${TMPDIR:-}" && -w /dev/shm && "$(stat --file-system --format=%T /dev/shm)" == tmpfs ]] || return 0
  [[ "$(findmnt --noheadings --output OPTIONS --target /dev/shm)" != *noexec* ]] || return 0
  [[ "$(df --output=avail /dev/shm | tail -1)" -ge 1048576 ]] || return 0 # in KiB
  export TMPDIR=/dev/shm
}

# give_up WHY: ends the run before any test ran, in the form that a reader of the last line expects.
give_up() {
  echo "run.sh: $*"
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

if [[ "$install" == yes ]]; then
  step "dependencies"
  scope=--servers
  if [[ "$what" == packages ]]; then scope=--packages; fi
  scripts/install-deps.sh "$scope" || give_up "the dependencies could not be installed"
fi

# packages: in the form of the last line that the tests have.
packages() {
  local first="build/packages.first"
  step "packages"
  scripts/build-packages.sh >build/packages.log 2>&1 || { tail -n 50 build/packages.log; return 1; }
  rm -rf "$first"
  mv build/packages "$first"
  step "the same once more"
  rm -rf build/package
  scripts/build-packages.sh >build/packages.log 2>&1 || { tail -n 50 build/packages.log; return 1; }
  local package
  for package in "$first"/*.deb; do
    cmp "$package" "build/packages/${package##*/}" || return 1
  done
  step "in a bare root"
  tests/packaging/packages_serve.sh || return 1
  step "in a container"
  tests/packaging/container_serves.sh
}

if [[ "$what" == packages ]]; then
  mkdir -p build
  if packages; then
    echo "1 passed, 0 failed, 0 skipped"
    exit 0
  fi
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi

step "scripts/check.sh --locks"
checks=passed
scripts/check.sh --locks || checks=failed

step "configure: cmake --preset $preset"
# The quickstart configures the same directory without tests and Java: both are named here.
java=ON
if [[ "$preset" != release ]]; then java=OFF; fi
mkdir -p "$build"
cmake --preset "$preset" -DKEYSTAY_TESTS=ON -DKEYSTAY_JAVA="$java" >"$build/configure.log" 2>&1 || {
  cat "$build/configure.log"
  give_up "cmake failed"
}

step "build: cmake --build --preset $preset ($build/build.log)"
target=all
if [[ "$what" == fuzz ]]; then target=fuzz; fi
cmake --build --preset "$preset" --target "$target" -j "$jobs" >"$build/build.log" 2>&1 || {
  grep -E -A 12 'FAILED|error:|ERROR' "$build/build.log" | head -200
  give_up "the build failed; all of it is in $build/build.log"
}
warnings="$(grep -c 'warning:' "$build/build.log" || true)"
if [[ "$warnings" -gt 0 ]]; then
  echo "$warnings compiler warnings, see $build/build.log"
fi

if [[ "$what" == benchmarks ]]; then
  step "benchmarks"
  exec tests/bench/run.sh "$build"
fi

# fuzz: each target on mutations of its corpus, in the form of the last line that the tests have.
fuzz() {
  local program name passed=0 failed=0
  for program in "$PWD/$build"/tests/fuzz-*; do
    name="${program##*/fuzz-}"
    step "$name"
    if (cd "$build" && "$program" "../../tests/fuzz/corpus/$name" 200000); then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      cp "$build/fuzz-failure" "$build/fuzz-$name-failure"
      echo "the input is in $build/fuzz-$name-failure; try it again with: $program FILE"
    fi
  done
  echo "$passed passed, $failed failed, 0 skipped"
  [[ "$failed" -eq 0 && "$passed" -gt 0 ]]
}

if [[ "$what" == fuzz ]]; then
  fuzz
  exit
fi

use_memory
step "ctest --preset $preset (temporary files in ${TMPDIR:-/tmp})"
readonly cases="$PWD/$build/googletest"
rm -rf "$cases" "$build/ctest.xml"
mkdir -p "$cases"
GTEST_BRIEF=1 GTEST_OUTPUT="xml:$cases/" ctest --preset "$preset" --parallel "$jobs" --no-tests=error \
  --output-junit "$PWD/$build/ctest.xml" </dev/null || true

# can_mount: whether file systems can be mounted here: not by users, nor in containers without CAP_SYS_ADMIN.
can_mount() {
  local directory code=0
  directory="$(mktemp -d)"
  if mount -t tmpfs none "$directory" 2>/dev/null; then umount "$directory"; else code=1; fi
  rmdir "$directory"
  return "$code"
}

# can_lose_packets: whether a network namespace can be made here that loses packets at random: not by users, nor in containers
# without CAP_SYS_ADMIN, nor with a kernel without nf_tables and its number generator.
can_lose_packets() {
  unshare --net nft -f - 2>/dev/null <<<"table inet t { chain c { numgen random mod 2 == 0 drop; }; }"
}

# has_new_go: whether Go is here, in the version that scripts/install-deps.sh builds programs with.
has_new_go() {
  local version
  version="$(go env GOVERSION 2>/dev/null)" && dpkg --compare-versions "${version#go}" ge 1.25
}

# facts: what is so in this run, as conditions of tests/allowed-skips.txt.
facts() {
  printf -- '--fact=%s\n' "$preset"
  # shellcheck source=/dev/null
  [[ ! -r /etc/os-release ]] || (. /etc/os-release && printf -- '--fact=%s\n' "$ID${VERSION_ID:-}")
  [[ -n "${KEYSTAY_SOAK:-}" ]] || echo --fact=short
  [[ "$(id -u)" -eq 0 ]] || echo --fact=user
  can_mount || echo --fact=unmounted
  can_lose_packets || echo --fact=lossless
  has_new_go || echo --fact=goless
}

step "result"
[[ -f "$build/ctest.xml" ]] || give_up "ctest left no report"
mapfile -t known < <(facts)
scripts/summarize_tests.py "$build/ctest.xml" --cases "$cases" --check "scripts/check.sh=$checks" \
  --allowed-skips tests/allowed-skips.txt "${known[@]}"
