#!/usr/bin/env bash
# The packages in a bare Debian root, as docs/user/install.md has it: installed by apt, an alias made and served to an
# unprivileged user's unit, loaded by OpenSSL and Java, upgraded, removed and purged, with nothing of the administrator's lost.
#
#   tests/packaging/packages_serve.sh [SUITE]    the suite of this system, unless given; tests/run.sh --packages runs it
#
# It needs root, and the right to mount. Everything is in build/bare.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { printf 'packages_serve: %s\n' "$*" >&2; }

give_up() {
  say "$*"
  exit 1
}

# shellcheck source=/dev/null
suite="${1:-$(. /etc/os-release && echo "$VERSION_CODENAME")}"
readonly suite home="$PWD/build/bare" packages="$PWD/build/packages"
readonly base="$home/$suite" root="$home/$suite.test"
[[ "$(id -u)" -eq 0 ]] || give_up "run this as root"
compgen -G "$packages/keystay_*.deb" >/dev/null || give_up "there are no packages; run scripts/build-packages.sh"

# shellcheck source=SCRIPTDIR/../../scripts/debian_root.sh
. scripts/debian_root.sh

# The same packages with a higher version.
make_upgrade() {
  local package tree="$home/upgrade.tree"
  rm -rf "$home/upgrade"
  mkdir -p "$home/upgrade"
  for package in "$packages"/*.deb; do
    rm -rf "$tree"
    dpkg-deb --raw-extract "$package" "$tree"
    sed -i -e 's/^Version: .*/Version: 99.0-1/' -e 's/(= [^)]*)/(= 99.0-1)/g' "$tree/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$tree" "$home/upgrade" >/dev/null
  done
  rm -rf "$tree"
}

if command -v lintian >/dev/null; then
  lintian --fail-on error --suppress-tags initial-upload-closes-no-bugs "$packages"/*.deb 2>"$packages/lintian.log" ||
    give_up "lintian: $(cat "$packages/lintian.log")"
else
  give_up "lintian is not installed; scripts/install-deps.sh --packages brings it"
fi

[[ -d "$base" ]] || make_root "$suite" "$base" "$home/debootstrap.$suite.log" ""
settle_root "$base"
make_upgrade
rm -rf "$root"
cp -a "$base" "$root"
mkdir "$root/packages" "$root/upgrade"
cp "$packages"/*.{deb,rpm} "$root/packages"
cp "$home/upgrade"/*.deb "$root/upgrade"
cp docs/user/install.md tests/packaging/in_bare_root.sh "$root/keystay"

# In new namespaces, which end with the test; what serves inside has a loopback of its own.
status=0
# shellcheck disable=SC2016  # expanded there
unshare --mount --pid --fork --kill-child sh -euc '
  mount --bind "$1" "$1"
  mount --rbind /dev "$1/dev"
  mount -t proc proc "$1/proc"
  mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
  mount -t tmpfs tmpfs "$1/run"
  exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} bash /keystay/in_bare_root.sh' \
  sh "$root" || status=$?
[[ "$status" -ne 0 ]] || rm -rf "$root"
exit "$status"
