# shellcheck shell=bash
# A Debian root in a directory, and a command in it. Sourced by those who say what it is for. It needs root, and the right to
# mount.
#
# Whoever sources this has say() and give_up().

# --- what this machine uses --------------------------------------------------------------------------------------------
# archive LABEL: the first archive of this name among the sources that apt has read.
archive() {
  apt-get indextargets --format "\$(REPO_URI)" "Created-By: Packages" "Origin: Debian" "Label: $1" | head -n 1
}

# find_mirror: sets `mirror`, a variable of the caller.
find_mirror() {
  command -v apt-get >/dev/null || give_up "this machine has no apt: name a Debian archive with --mirror"
  mirror="$(archive Debian)"
  if [[ -z "$mirror" ]]; then
    apt-get update -qq >&2
    mirror="$(archive Debian)"
  fi
  [[ -n "$mirror" ]] || give_up "none of this machine's apt sources is Debian's archive: name one with --mirror"
}

# sources SUITE MIRROR
sources() {
  local security
  security="$(archive Debian-Security)"
  printf 'deb %s %s main\n' "$2" "$1" "$2" "$1-updates"
  [[ -z "$security" ]] || printf 'deb %s %s-security main\n' "$security" "$1"
}

# How this machine's apt reaches an archive (proxies, time-outs, clocks that are off) is how the root's does.
transport_settings() {
  apt-config dump | grep -E '^Acquire::(http|https|Check-Date|Check-Valid-Until|Retries|ForceIPv[46])\b' || true
}

# apt_proxy: the proxy of apt.conf, which debootstrap does not read.
apt_proxy() {
  local proxy=
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  echo "$proxy"
}

# --- the root ----------------------------------------------------------------------------------------------------------
# make_root SUITE ROOT LOG MIRROR: MIRROR may be empty.
make_root() {
  local release="$1" into="$2" log="$3" mirror="$4"
  local partial="$into.partial"
  if ! command -v debootstrap >/dev/null && [[ ! -x /usr/sbin/debootstrap ]]; then
    say "installing debootstrap"
    apt-get install -qq --yes --no-install-recommends debootstrap >&2
  fi
  [[ -n "$mirror" ]] || find_mirror
  say "making a root of Debian's $release from $mirror (log: $log)"
  rm -rf "$into" "$partial"
  mkdir -p "$(dirname "$into")"
  env PATH="$PATH:/usr/sbin:/sbin" http_proxy="${http_proxy:-$(apt_proxy)}" \
    debootstrap --variant=minbase --include=ca-certificates "$release" "$partial" "$mirror" \
    >"$log" 2>&1 || give_up "debootstrap failed: $(tail -n 3 "$log")"
  sources "$release" "$mirror" >"$partial/etc/apt/sources.list"
  mkdir "$partial/keystay"
  mv "$partial" "$into"
}

# settle_root ROOT: gives it the network of this machine, as it is now.
settle_root() {
  local file
  for file in resolv.conf hosts; do cat "/etc/$file" >"$1/etc/$file"; done
  transport_settings >"$1/etc/apt/apt.conf.d/90host"
  rm -rf "$1/usr/local/share/ca-certificates"
  if [[ -d /usr/local/share/ca-certificates ]]; then
    cp -r /usr/local/share/ca-certificates "$1/usr/local/share/"
  fi
}
