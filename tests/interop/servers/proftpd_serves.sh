#!/usr/bin/env bash
# ProFTPD serves FTPS, explicit and implicit, with an RSA and an EC alias: lftp logs in, lists, uploads and downloads on
# protected data connections; reloads, clients that leave and a token that blinks are survived.
source "$(dirname "${BASH_SOURCE[0]}")/ftps.sh"

need proftpd proftpd-core
# find_modules: the directory of mod_tls.so, for a package that is installed or one that is unpacked.
find_modules() {
  local directory
  for directory in /usr/lib/proftpd /usr/lib/*/proftpd "$unpacked/usr/lib/proftpd"; do
    if [[ -e "$directory/mod_tls.so" ]]; then
      echo "$directory"
      return
    fi
  done
}
modules="$(find_modules)"
[[ -n "$modules" ]] || skip "mod_tls.so is not installed (package proftpd-mod-crypto)"
[[ "$(id -u)" -eq 0 ]] || skip "ProFTPD has to be started by root"
[[ "${KEYSTAY_SANITIZE:-}" != *thread* ]] ||
  skip "ProFTPD gives up capabilities in one thread; ThreadSanitizer has another, and glibc aborts where setuid(2) differs"
make_blinking_token
make_ca
make_alias ftp-rsa -keyalg RSA -keysize 2048
make_alias ftp-ec -keyalg EC -groupname secp256r1
use_provider
lay_out_aliases "$scratch/proftpd" ftp-rsa ftp-ec
give_token_to nobody

make_ftp_home
(umask 077 && ftp_account >"$scratch/ftp-users")
port="$(free_port)"
implicit_port="$(free_port)"

# load_modules: what Debian's modules.conf does. Listing and transferring are modules from Debian 13 on.
load_modules() {
  local module
  printf 'ModulePath %s' "$modules"
  for module in mod_ls mod_xfer; do
    [[ ! -e "$modules/$module.so" ]] || printf '\\nLoadModule %s.c' "$module"
  done
}

# configure NAME OPTION: the example with this test's directories, ports and users, a name of the server, and an option.
configure() {
  sed -e "s|/etc/proftpd/keystay|$scratch/proftpd|" -e "s|^Port 21|Port $port|" -e "s|Port 990|Port $implicit_port|" \
    -e "s|<VirtualHost 0.0.0.0>|<VirtualHost 127.0.0.1>|" -e "s|^User .*|User nobody|" \
    -e "s|^ServerName .*|ServerName \"$1\"|" "$examples/proftpd/proftpd.conf" >"$scratch/proftpd.conf"
  sed -i "1i $(load_modules)" "$scratch/proftpd.conf"
  cat >>"$scratch/proftpd.conf" <<CONF
DefaultAddress 127.0.0.1
SocketBindTight on
PidFile $scratch/proftpd.pid
ScoreboardFile $scratch/proftpd-scoreboard
WtmpLog off
TransferLog none
SystemLog $scratch/proftpd-system.log
<IfModule mod_delay.c>
  DelayTable none
</IfModule>
<Global>
  AuthOrder mod_auth_file.c
  AuthUserFile $scratch/ftp-users
  TLSLog $scratch/proftpd-tls.log
  TLSOptions $2
</Global>
CONF
}

readonly explicit="ftp://localhost:$port" implicit="ftps://localhost:$implicit_port"
configure "before the reload" NoEmptyFragments
start proftpd others proftpd --nodaemon --config "$scratch/proftpd.conf"
wait_for proftpd listens "$implicit_port"

for options in "$port -starttls ftp" "$implicit_port"; do
  # shellcheck disable=SC2086  # words
  {
    expect_signed_with "$(control_connection $options -tls1_3)" ECDSA
    expect_signed_with "$(control_connection $options -tls1_2)" ECDSA
    expect_signed_with "$(control_connection $options -tls1_3 -sigalgs RSA-PSS+SHA256)" RSA-PSS
    expect_signed_with "$(control_connection $options -tls1_2 -sigalgs RSA+SHA256)" RSA
  }
done
for url in "$explicit" "$implicit"; do
  transfers "$url"
  survives_blinks_in_a_session "$url"
  survives_blinks transfers "$url"
done

# A reload, which also lets clients in that resume nothing: the process of a user, which is confined to his directory by
# then, signs for each of their data connections.
greets_with() { [[ "$(control_connection "$port" -starttls ftp -quiet)" == *"($1)"* ]]; }
greets_with "before the reload" || fail "the server does not greet with its name"
configure "after the reload" NoSessionReuseRequired
kill -HUP "${pids[proftpd]}"
wait_for proftpd greets_with "after the reload"
[[ "$(signs_for transfers "$explicit" "$no_resumption")" -gt 1 ]] || fail "the data connections cost no signature"

leave_in_mid_handshake "$port" 1 -starttls ftp
transfers "$implicit"
wait_for proftpd no_sessions proftpd
stop proftpd TERM
if grep -E 'signal (6|7|8|11)|segfault|internal abort' "$scratch/proftpd-system.log"; then
  fail "a process of ProFTPD was ended by a signal"
fi
