#!/usr/bin/env bash
# Installs, with apt, what building and testing Keystay needs and this machine lacks. Says what it installs, and
# touches neither the network nor the machine when nothing is missing.
#
#   scripts/install-deps.sh                everything: build, tests, benchmarks, Java
#   scripts/install-deps.sh --quickstart   only what examples/quickstart.sh needs
#   scripts/install-deps.sh --servers      everything, and the servers and clients of tests/interop/servers
#   scripts/install-deps.sh --packages     everything, and what building and trying packages takes
#   scripts/install-deps.sh --list         print the list of what is needed, and install nothing
set -euo pipefail

# One requirement per line: who needs it | what it is | the command or package that proves it is there |
# the packages that bring it. Alternatives are separated by " or "; the first one that apt has is installed.
# What only "wished" needs is installed where apt has it, and done without elsewhere. What is "unpacked" comes with the
# servers, but into build/unpacked: FTP servers exclude one another, a mail server every other, MariaDB MySQL. What is "built" goes
# there, too, by the Go of this machine, if it is new enough for it, and is done without elsewhere.
readonly requirements='
quickstart | C++20 compiler             | g++                 | g++
quickstart | CMake 3.25                 | cmake               | cmake
quickstart | Ninja                      | ninja               | ninja-build
quickstart | pkg-config                 | pkg-config          | pkg-config
quickstart | OpenSSL 3 headers          | libssl-dev          | libssl-dev
quickstart | p11-kit headers            | libp11-kit-dev      | libp11-kit-dev
quickstart | Boost 1.81 or later        | boost               | libboost1.81-dev libboost-url1.81-dev or libboost-dev libboost-url-dev
quickstart | toml++                     | libtomlplusplus-dev | libtomlplusplus-dev
quickstart | CLI11                      | libcli11-dev        | libcli11-dev
quickstart | fmt                        | libfmt-dev          | libfmt-dev
quickstart | spdlog                     | libspdlog-dev       | libspdlog-dev
quickstart | prometheus-cpp             | prometheus-cpp-dev  | prometheus-cpp-dev
quickstart | nghttp2                    | libnghttp2-dev      | libnghttp2-dev
quickstart | libcurl headers            | libcurl4-openssl-dev | libcurl4-openssl-dev
quickstart | OpenSSL command            | openssl             | openssl
quickstart | SoftHSM, a software token  | softhsm2-util       | softhsm2
quickstart | pkcs11-tool                | pkcs11-tool         | opensc
quickstart | curl                       | curl                | curl
quickstart | Python 3                   | python3             | python3
all        | GoogleTest                 | libgtest-dev        | libgtest-dev
all        | libp11, which reads our tokens | libp11-dev     | libp11-dev
all        | GoogleMock                 | libgmock-dev        | libgmock-dev
all        | Google Benchmark           | libbenchmark-dev    | libbenchmark-dev
all        | NSS softokn, another token | certutil            | libnss3-tools
all        | JDK 17 or later            | javac               | openjdk-17-jdk-headless or openjdk-25-jdk-headless or openjdk-21-jdk-headless
all        | Maven                      | mvn                 | maven
all        | nginx                      | nginx               | nginx-light or nginx
all        | nghttp and h2load          | h2load              | nghttp2-client
all        | p11-kit, a remote token    | p11-kit             | p11-kit
all        | client module of p11-kit   | p11-kit-modules     | p11-kit-modules
all        | logrotate                  | logrotate           | logrotate
all        | Git                        | git                 | git
all        | Clang, which checks locks  | clang++             | clang
wished     | clang-format 14            | clang-format-14     | clang-format-14
wished     | pkcs11-provider            | pkcs11-provider     | pkcs11-provider
wished     | Chromium without a screen  | chromium-headless-shell | chromium-headless-shell
wished     | old ciphers of OpenSSL     | openssl-provider-legacy | openssl-provider-legacy
wished     | valgrind                   | valgrind            | valgrind
servers    | HAProxy                    | haproxy             | haproxy
servers    | Apache httpd               | apache2             | apache2-bin
servers    | stunnel                    | stunnel             | stunnel4
unpacked   | vsftpd                     | vsftpd              | vsftpd
unpacked   | ProFTPD                    | proftpd             | proftpd-core proftpd-mod-crypto
servers    | lftp, an FTPS client       | lftp                | lftp
servers    | PostgreSQL                 | pg_ctlcluster       | postgresql-common postgresql
servers    | lighttpd                   | lighttpd            | lighttpd lighttpd-mod-openssl
servers    | Dovecot                    | dovecot             | dovecot-core dovecot-imapd
servers    | Redis                      | redis-server        | redis-server
servers    | mosquitto                  | mosquitto           | mosquitto
servers    | clients of mosquitto       | mosquitto_pub       | mosquitto-clients
servers    | unbound                    | unbound             | unbound
servers    | dnsdist                    | dnsdist             | dnsdist
servers    | hitch                      | hitch               | hitch
servers    | OpenVPN                    | openvpn             | openvpn
servers    | Node.js                    | node                | nodejs
servers    | socat                      | socat               | socat
servers    | hosts(5) of a test          | libnss-wrapper      | libnss-wrapper
servers    | PHP                        | php                 | php-cli
servers    | promtool of Prometheus     | promtool            | prometheus
servers    | network namespaces         | ip                  | iproute2
servers    | nft, which loses packets   | nft                 | nftables
unpacked   | Postfix                    | postfix             | postfix
unpacked   | MariaDB, the server        | mariadbd            | mariadb-server-core
unpacked   | MariaDB, the client        | mariadb             | mariadb-client-core
built      | h2spec, checks HTTP/2      | h2spec              | github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
built      | Pebble, a CA with ACME     | pebble              | github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.3
built      | the DNS server of Pebble   | pebble-challtestsrv | github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv@v2.10.3
packages   | lintian, checks packages   | lintian             | lintian
packages   | rpmbuild                   | rpmbuild            | rpm
packages   | debootstrap                | debootstrap         | debootstrap
packages   | Buildah, makes containers  | buildah             | buildah
packages   | environments of Python     | python3-venv        | python3-venv
'

# Where the packages go that are unpacked instead of installed.
unpacked="$(dirname "${BASH_SOURCE[0]}")/../build/unpacked"
readonly unpacked

scope=all
list_only=no
for argument in "$@"; do
  case "$argument" in
    --quickstart) scope=quickstart ;;
    --servers) scope=servers ;;
    --packages) scope=packages ;;
    --list) list_only=yes ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "install-deps: unknown option $argument; try --help" >&2; exit 2 ;;
  esac
done

say() { printf 'install-deps: %s\n' "$*" >&2; }

trim() { sed 's/^[[:space:]]*//; s/[[:space:]]*$//' <<<"$1"; }

# in_scope WHO: whether this run is for them. The servers come on top of everything else.
in_scope() {
  case "$scope" in
    quickstart) [[ "$1" == quickstart ]] ;;
    all) [[ "$1" != servers && "$1" != unpacked && "$1" != built && "$1" != packages ]] ;;
    servers) [[ "$1" != packages ]] ;;
    packages) [[ "$1" != servers && "$1" != unpacked && "$1" != built ]] ;;
  esac
}

# needed: the requirements of this run, one per line: who | what | proof | packages
needed() {
  local who what proof packages
  while IFS='|' read -r who what proof packages; do
    [[ -n "${proof:-}" ]] || continue
    in_scope "$(trim "$who")" || continue
    printf '%s|%s|%s|%s\n' "$(trim "$who")" "$(trim "$what")" "$(trim "$proof")" "$(trim "$packages")"
  done <<<"$requirements"
}

package_installed() {
  [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# Boost comes in versioned packages, of which only one can be installed at a time.
boost_installed() {
  local header=/usr/include/boost/version.hpp
  [[ -f "$header" && -f /usr/include/boost/url.hpp ]] &&
    [[ "$(sed -n 's/^#define BOOST_VERSION \([0-9]*\).*/\1/p' "$header")" -ge 108100 ]]
}

present() {
  case "$1" in
    boost) boost_installed ;;
    lib*-dev | *-cpp-dev | *-venv | libnss-wrapper | pkcs11-provider | p11-kit-modules) package_installed "$1" ;;
    *) command -v "$1" >/dev/null || [[ -x "/usr/sbin/$1" || -x "$unpacked/usr/sbin/$1" ||
      -x "$unpacked/usr/bin/$1" ]] ;;
  esac
}

# missing: what of it is not there: who | what | packages
missing() {
  local who what proof packages
  while IFS='|' read -r who what proof packages; do
    present "$proof" || printf '%s|%s|%s\n' "$who" "$what" "$packages"
  done < <(needed)
}

print_list() {
  local what packages
  while IFS='|' read -r _ what _ packages; do
    printf '  %-26s %s\n' "$what" "$packages"
  done < <(needed)
}

os_release() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\).*/\1/p" /etc/os-release; }

supported_system() {
  [[ -r /etc/os-release ]] && command -v apt-get >/dev/null || return 1
  local version
  version="$(os_release VERSION_ID)"
  case "$(os_release ID)" in
    debian) [[ -z "$version" ]] || dpkg --compare-versions "$version" ge 12 ;;  # testing has no version
    ubuntu) dpkg --compare-versions "${version:-0}" ge 24.04 ;;
    *) return 1 ;;
  esac
}

as_root() {
  if [[ "$(id -u)" -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

in_apt() { [[ "$(apt-cache policy "$1" 2>/dev/null)" == *"Candidate: "[0-9]* ]]; }

# "a b or c d": prints the first alternative of which apt has every package.
choose() {
  local alternative package all
  while read -r alternative; do
    all=yes
    for package in $alternative; do in_apt "$package" || all=no; done
    if [[ "$all" == yes ]]; then
      echo "$alternative"
      return
    fi
  done <<<"${1// or /$'\n'}"
  return 1
}

# An archive that does not answer at once is asked again.
readonly patience=(-o Acquire::Retries=5 -o Acquire::http::Timeout=30)

# install_packages PACKAGE …: with what they depend on and nothing more; what is there is never removed.
install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-remove --no-install-recommends \
    "${patience[@]}" -o Dpkg::Use-Pty=0 "$@" >&2
}

# unpack PACKAGE: its files go into build/unpacked; the libraries that it needs, into the system.
unpack() {
  local package="$1" download library
  local -a libraries=()
  say "unpacking $package into build/unpacked"
  while IFS= read -r library; do
    package_installed "$library" || libraries+=("$library")
  done < <(apt-cache depends "$package" | sed -n 's/^ *Depends: \(lib.*\)/\1/p')
  [[ ${#libraries[@]} -eq 0 ]] || install_packages "${libraries[@]}"
  download="$(mktemp -d)"
  (cd "$download" && apt-get download -qq "${patience[@]}" -o APT::Sandbox::User=root "$package" >&2)
  mkdir -p "$unpacked"
  dpkg-deb --extract "$download"/*.deb "$unpacked"
  rm -r "$download"
}

# go_is_new: what is built has dependencies of today.
go_is_new() {
  local version
  version="$(go env GOVERSION 2>/dev/null)" || return 1
  dpkg --compare-versions "${version#go}" ge 1.25
}

# build MODULE@VERSION: the program, into build/unpacked.
build() {
  if ! go_is_new; then
    say "$1 needs Go 1.25 or later; its test will be skipped"
    return
  fi
  say "building $1 into build/unpacked"
  mkdir -p "$unpacked/usr/bin"
  GOBIN="$(cd "$unpacked/usr/bin" && pwd)" GOFLAGS=-buildvcs=false go install "$1" >&2
}

# The packages of servers start them: nginx on port 80, vsftpd on port 21. Nobody who runs the tests asked for one: a
# policy-rc.d of ours (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt) forbids it while apt runs.
readonly policy=/usr/sbin/policy-rc.d
forbid_service_starts() {
  [[ ! -e "$policy" ]] || return 0
  # shellcheck disable=SC2016  # the script is written as it is
  as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
  trap 'as_root rm -f "$policy"' EXIT
}

# leave_services_off PACKAGE …: what these packages would start with the machine stays disabled.
leave_services_off() {
  [[ -d /run/systemd/system ]] && command -v systemctl >/dev/null || return 0
  local unit
  while IFS= read -r unit; do
    as_root systemctl disable --quiet "$unit"
    say "$unit was neither started nor enabled; systemctl enable --now $unit does both"
  done < <(dpkg --listfiles "$@" | sed -n 's|^\(/usr\)\{0,1\}/lib/systemd/system/\([^/@]*\.service\)$|\2|p' |
    xargs -r systemctl list-unit-files --state=enabled --no-legend 2>/dev/null | awk '{ print $1 }')
}

if [[ "$list_only" == yes ]]; then
  print_list
  exit 0
fi

if ! supported_system; then
  if [[ -z "$(command -v dpkg-query)" || -n "$(missing)" ]]; then
    say "this script knows Debian 12 or later and Ubuntu 24.04 or later. Install what these packages bring:"
    print_list >&2
    exit 1
  fi
  exit 0
fi

absent="$(missing)"
# Without the network nothing that is only wished for is worth an error.
go_is_new || absent="$(grep -v '^built|' <<<"$absent" || true)"
grep -qEv '^(wished|$)' <<<"$absent" || exit 0

if [[ "$(id -u)" -ne 0 ]] && ! command -v sudo >/dev/null; then
  say "run this as root, or install sudo; missing are:"
  cut -d'|' -f2 <<<"$absent" | sed 's/^/  /' >&2
  exit 1
fi

say "updating the package lists"
as_root apt-get update -qq "${patience[@]}" >&2

packages=()
to_unpack=()
to_build=()
while IFS='|' read -r who what alternatives; do
  if [[ "$who" == built ]]; then
    to_build+=("$alternatives")
    continue
  fi
  if ! chosen="$(choose "$alternatives")"; then
    [[ "$who" != wished ]] || continue
    say "$what: apt has none of: $alternatives"
    exit 1
  fi
  read -ra names <<<"$chosen"
  if [[ "$who" == unpacked ]]; then
    to_unpack+=("${names[@]}")
  else
    say "installing $what: $chosen"
    packages+=("${names[@]}")
  fi
done <<<"$absent"

forbid_service_starts
if [[ ${#packages[@]} -gt 0 ]]; then
  install_packages "${packages[@]}"
  leave_services_off "${packages[@]}"
fi
for package in "${to_unpack[@]}"; do unpack "$package"; done
for module in "${to_build[@]}"; do build "$module"; done

still="$(missing | grep -v '^wished' || true)"
go_is_new || still="$(grep -v '^built|' <<<"$still" || true)"
if [[ -n "$still" ]]; then
  say "still missing after the installation:"
  cut -d'|' -f2 <<<"$still" | sed 's/^/  /' >&2
  exit 1
fi
say "done"
