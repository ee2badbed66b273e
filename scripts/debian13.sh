#!/usr/bin/env bash
# Runs a command in the source tree on Debian 13 (OpenSSL 3.5, Boost 1.83, GCC 14), in a root of its own that is made on
# the first run. The command sees the tree of the last commit; its exit code is the script's.
#
#   scripts/debian13.sh tests/run.sh               build and test there
#   scripts/debian13.sh bash                       look around
#   --mirror URL                                   the Debian archive; default: the one that this machine's apt uses
#   --fresh                                        make the root anew
#
# Everything is in build/debian13. It needs root or sudo, and the right to mount. What it mounts and starts ends with
# it, however it ends: the command runs in mount and process namespaces of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly home="$PWD/build/debian13"
readonly root="$home/root"
readonly tree="$home/keystay" # the clone, mounted at /keystay

say() { printf 'debian13: %s\n' "$*" >&2; }

give_up() {
  say "$*"
  exit 1
}

mirror=
fresh=no
while [[ $# -gt 0 ]]; do
  case "$1" in
    --mirror) mirror="${2:?--mirror needs a URL}"; shift 2 ;;
    --fresh) fresh=yes; shift ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    -*) echo "debian13: unknown option $1; try --help" >&2; exit 2 ;;
    *) break ;;
  esac
done
[[ $# -gt 0 ]] || { echo "debian13: name a command to run; try --help" >&2; exit 2; }

readonly proxies=(http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY)
if [[ "$(id -u)" -ne 0 ]]; then
  command -v sudo >/dev/null || give_up "run this as root, or install sudo"
  arguments=()
  [[ -z "$mirror" ]] || arguments+=(--mirror "$mirror")
  [[ "$fresh" == no ]] || arguments+=(--fresh)
  exec sudo "--preserve-env=$(IFS=,; echo "${proxies[*]}")" -- scripts/debian13.sh "${arguments[@]}" "$@"
fi

# shellcheck source=SCRIPTDIR/debian_root.sh
. scripts/debian_root.sh

# What is built stays between runs; git touches only the files that changed. A bundle is read whoever owns this tree.
update_tree() {
  local -a here=(git -c "safe.directory=*")
  "${here[@]}" bundle create --quiet "$home/head.bundle" HEAD
  [[ -d "$tree/.git" ]] || git init --quiet "$tree"
  git -C "$tree" fetch --quiet "$home/head.bundle" HEAD
  git -C "$tree" checkout --quiet --force --detach FETCH_HEAD
  git -C "$tree" clean --quiet -d --force
  [[ -z "$("${here[@]}" status --porcelain)" ]] || say "what is not committed is not in the tree that is used"
}

# --- inside ------------------------------------------------------------------------------------------------------------
# In new namespaces, where the mounts below are nobody else's.
# shellcheck disable=SC2016  # expanded there
readonly enter='
  root="$1" tree="$2"
  shift 2
  mount --bind "$root" "$root" # a mount point, so that programs inside can make namespaces of their own
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mount -t tmpfs tmpfs "$root/run"
  mount --bind "$tree" "$root/keystay"
  exec chroot "$root" env -i "$@"'

# The first process of the namespace stays and collects what its children leave behind.
# shellcheck disable=SC2016
readonly inside='
  cd /keystay
  update-ca-certificates >/dev/null 2>&1
  scripts/install-deps.sh --servers
  status=0
  "$@" || status=$?
  exit "$status"'

run_inside() {
  local variable
  local -a environment=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "TERM=${TERM:-dumb}")
  for variable in "${proxies[@]}"; do
    [[ -z "${!variable:-}" ]] || environment+=("$variable=${!variable}")
  done
  # In the background, so that a signal to this script is handled at once: the end of unshare ends all.
  unshare --mount --pid --fork --kill-child sh -euc "$enter" sh "$root" "$tree" \
    "${environment[@]}" sh -euc "$inside" sh "$@" <&0 &
  local child=$! status=0
  # shellcheck disable=SC2064  # this child
  trap "kill -KILL $child 2>/dev/null" EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  wait "$child" || status=$?
  trap - EXIT
  exit "$status"
}

[[ "$fresh" == no && -d "$root" ]] || make_root trixie "$root" "$home/debootstrap.log" "$mirror"
settle_root "$root"
update_tree
run_inside "$@"
