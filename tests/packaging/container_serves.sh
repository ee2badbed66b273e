#!/usr/bin/env bash
# The container image of examples/container, built from the packages on a bare root of this system, serves a page with a key of a
# token as its unprivileged user, and writes nothing into it; and the manifests of examples/kubernetes are what Kubernetes'
# schemas say, with a configuration that keystay-tlsd reads.
#
#   tests/packaging/container_serves.sh    after packages_serve.sh, whose root it takes; tests/run.sh --packages runs it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck source=/dev/null
suite="$(. /etc/os-release && echo "$VERSION_CODENAME")"
readonly suite home="$PWD/build/bare" python="$PWD/build/python"
scratch="$(mktemp -d)"
readonly scratch
fail() {
  echo "container_serves: $*" >&2
  exit 1
}

# No daemon, no registry, and no namespaces of its own: images are folders below the scratch directory.
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
image_tool() { buildah --root "$scratch/images" --runroot "$scratch/run" "$@"; }
server=
finish() {
  [[ -z "$server" ]] || kill "$server" 2>/dev/null || true
  image_tool rm --all >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap finish EXIT

[[ -d "$home/$suite" ]] || fail "there is no root in $home/$suite; run tests/packaging/packages_serve.sh first"

base="$(image_tool from scratch)"
image_tool add "$base" "$home/$suite" / >/dev/null
image_tool commit --quiet "$base" "localhost/debian:$suite" >/dev/null
image_tool rm "$base" >/dev/null
image_tool build --quiet --build-arg "SYSTEM=localhost/debian:$suite" -f examples/container/Containerfile \
  -t localhost/keystay-tlsd . >/dev/null

# As the README's last example has it: somebody's module in an image of its own.
cat >"$scratch/Containerfile" <<'IMAGE'
FROM localhost/keystay-tlsd
USER root
RUN apt-get update -qq && apt-get install -qq --yes softhsm2 && usermod --append --groups softhsm keystay-tlsd
USER 10002:10001
IMAGE
image_tool build --quiet -f "$scratch/Containerfile" -t localhost/with-softhsm "$scratch" >/dev/null
container="$(image_tool from localhost/with-softhsm)"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port="$(free_port)"
page_port="$(free_port)"
mkdir -p "$scratch/keystay" "$scratch/tokens" "$scratch/page"
echo "a page" >"$scratch/page/index.html"
echo 123456 >"$scratch/keystay/pin"
cat >"$scratch/keystay/keystay.toml" <<TOML
[token.web]
module = "/usr/lib/softhsm/libsofthsm2.so"
label = "web"
pin = "file:/etc/keystay/pin"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$port"]
certificates = ["httpd"]
backend = "app"

[tlsd.backend.app]
servers = ["127.0.0.1:$page_port"]
TOML
printf 'directories.tokendir = /tokens\n' >"$scratch/keystay/softhsm2.conf"
chown -R 10002:10001 "$scratch/keystay" "$scratch/tokens"
chmod 0440 "$scratch/keystay/pin"

# in_container PROGRAM ARGUMENT …: as the image's user, with the configuration and the token mounted.
in_container() {
  image_tool run --isolation chroot --env SOFTHSM2_CONF=/etc/keystay/softhsm2.conf \
    --volume "$scratch/keystay:/etc/keystay:ro" --volume "$scratch/tokens:/tokens" "$container" -- "$@"
}
[[ "$(in_container id -u):$(in_container id -g)" == 10002:10001 ]] || fail "it runs as $(in_container id)"
in_container softhsm2-util --init-token --free --label web --pin 123456 --so-pin 87654321 >/dev/null
in_container keystay -genkeypair -alias httpd -keyalg EC -groupname secp256r1 -dname CN=localhost -ext san=dns:localhost
in_container keystay -exportcert -rfc -alias httpd >"$scratch/httpd.pem"
in_container keystay-tlsd check -c /etc/keystay/keystay.toml
root="$(image_tool mount "$container")"
[[ -x "$root/usr/sbin/keystay-tlsd" ]] || fail "the image's files are not in $root"
touch "$scratch/before"
python3 -m http.server "$page_port" --bind 127.0.0.1 --directory "$scratch/page" >"$scratch/page.log" 2>&1 &
page_server=$!
in_container /usr/sbin/keystay-tlsd -c /etc/keystay/keystay.toml >"$scratch/tlsd.log" 2>&1 &
server=$!
page=
for _ in $(seq 100); do
  page="$(curl --silent --cacert "$scratch/httpd.pem" "https://localhost:$port/" || true)"
  [[ -z "$page" ]] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1 # until it listens
done
kill "$page_server"
[[ "$page" == "a page" ]] || fail "no page: $(cat "$scratch/tlsd.log")"
written="$(find "$root" -xdev -type f ! -path "$root/run/.containerenv" -newer "$scratch/before")" # that is Buildah's
[[ -z "$written" ]] || fail "it has written into its image: $written"

# --- Kubernetes ------------------------------------------------------------------------------------------------------
python3 -m venv "$python"
"$python/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate
"$python/bin/python" tests/packaging/kubernetes_manifests.py examples/kubernetes/keystay-tlsd.yaml 1.30 >"$scratch/keystay.toml"
sed -i "s|/etc/keystay/|$scratch/|" "$scratch/keystay.toml"
# It is read; the machines that it names are not there.
said="$(build/package/bin/keystay-tlsd check -c "$scratch/keystay.toml" 2>&1 || true)"
[[ "$said" == *"hsm-a"* && "$said" != *"$scratch/keystay.toml:"* ]] || fail "the ConfigMap's keystay.toml: $said"
echo "container_serves: a page from the container, and the manifests are sound"
