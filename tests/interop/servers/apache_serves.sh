#!/usr/bin/env bash
# Apache httpd serves an RSA and an EC alias, as processes (prefork) and as threads (event), with privileges that only
# the parent has; it survives graceful restarts under load and a token that blinks.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly modules=/usr/lib/apache2/modules
need apache2 apache2-bin
[[ -e "$modules/mod_ssl.so" ]] || skip "mod_ssl.so is not in $modules (package apache2-bin)"
make_blinking_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
use_provider
lay_out_aliases "$scratch/apache" httpd-rsa httpd-ec

mkdir "$scratch/page"
echo "a page of Apache" >"$scratch/page/index.html"
[[ "$(id -u)" -ne 0 ]] || give_token_to www-data

# configure MPM PORT: what Debian's apache2.conf and mods-enabled do, and the example as the only site.
configure() {
  local mpm="$1" port="$2" module
  sed -e "s|/etc/apache2/keystay|$scratch/apache|" -e "s|/var/www/html|$scratch/page|" \
    -e "s|\*:443|127.0.0.1:$port|" "$examples/apache/keystay.conf" >"$scratch/site.conf"
  {
    for module in "mpm_$mpm" authn_core authz_core dir socache_shmcb ssl; do
      echo "LoadModule ${module}_module $modules/mod_$module.so"
    done
    [[ "$(id -u)" -ne 0 ]] || printf 'User www-data\nGroup www-data\n'
    cat <<CONF
ServerRoot $scratch/apache
DefaultRuntimeDir $scratch/apache
PidFile $scratch/apache/apache2.pid
Mutex file:$scratch/apache
ErrorLog $scratch/apache-error.log
LogLevel info
Listen 127.0.0.1:$port
ServerName localhost
DirectoryIndex index.html
StartServers 2
Include $scratch/site.conf
CONF
  } >"$scratch/apache2.conf"
}

# Apache says so after the start and after each restart.
resumptions() { grep -c "resuming normal operations" "$scratch/apache-error.log"; }
resumed() { [[ "$(resumptions)" -gt "$1" ]]; }
reload() {
  local before
  for _ in 1 2 3; do
    before="$(resumptions)"
    kill -USR1 "${pids[apache]}"
    wait_for apache resumed "$before"
  done
}

serves() {
  local mpm="$1" port
  port="$(free_port)"
  configure "$mpm" "$port"
  : >"$scratch/apache-error.log"

  # Loading the reference files needs no token, no PIN and no module: the parent has none of them.
  SOFTHSM2_CONF=/nonexistent KEYSTAY_FAULT_TARGET=/nonexistent others apache2 -f "$scratch/apache2.conf" -t
  # In the foreground Apache stops with a signal to its process group: it needs one of its own.
  start apache others setsid apache2 -f "$scratch/apache2.conf" -DFOREGROUND
  wait_for apache listens "$port"

  answers "$port" RSA-PSS -tls1_3 -sigalgs RSA-PSS+SHA256
  answers "$port" ECDSA -tls1_3 -sigalgs ECDSA+SHA256
  answers "$port" RSA-PSS -tls1_2 -sigalgs RSA-PSS+SHA256
  answers "$port" RSA -tls1_2 -sigalgs RSA+SHA256
  answers "$port" ECDSA -tls1_2 -sigalgs ECDSA+SHA256

  under_load "$port" reload
  survives_blinks fetch "$port"
  expect "$(fetch "$port")" "a page of Apache"
  leave_in_mid_handshake "$port" 1
  expect "$(fetch "$port")" "a page of Apache"

  stop apache WINCH # graceful-stop
  if grep -E 'exit signal|\[[a-z_0-9]*:(alert|crit|emerg)\]|AH00052' "$scratch/apache-error.log"; then
    fail "Apache with $mpm had something to complain about"
  fi
}

serves prefork
serves event
