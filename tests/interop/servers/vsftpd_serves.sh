#!/usr/bin/env bash
# vsftpd serves FTPS, explicit and implicit, with an RSA or an EC alias: lftp logs in, lists, uploads and downloads on
# protected data connections; a reload, clients that leave and a token that blinks are survived.
source "$(dirname "${BASH_SOURCE[0]}")/ftps.sh"

need vsftpd vsftpd
[[ "$(id -u)" -eq 0 ]] || skip "vsftpd has to be started by root"
[[ ${#preload[@]} -eq 0 ]] || skip "vsftpd limits its processes to 200 MiB of address space; a sanitizer takes terabytes"
make_blinking_token
make_ca
make_alias ftp-rsa -keyalg RSA -keysize 2048
make_alias ftp-ec -keyalg EC -groupname secp256r1
use_provider
lay_out_aliases "$scratch/vsftpd" ftp-rsa ftp-ec
give_token_to nobody # nopriv_user of the example

# vsftpd knows only users of the system, by PAM. Those of this test are in copies that only vsftpd's mount namespace has.
make_ftp_home
mkdir "$scratch/etc"
cp -a /etc/passwd /etc/shadow /etc/pam.d "$scratch/etc"
ftp_account | awk -F: -v OFS=: '{ $2 = "x"; print }' >>"$scratch/etc/passwd"
ftp_account | awk -F: -v OFS=: '{ print $1, $2, "20000", "", "", "", "", "", "" }' >>"$scratch/etc/shadow"
printf '%s\n' "auth required pam_unix.so" "account required pam_unix.so" "session required pam_permit.so" \
  >"$scratch/etc/pam.d/vsftpd"
# shellcheck disable=SC2016  # expanded there
readonly in_private_etc='
  for file in passwd shadow pam.d; do mount --bind "$0/$file" "/etc/$file"; done
  exec "$@"'

# configure PORT MODE ALIAS BANNER: the example with this test's directory and port, explicit or implicit.
configure() {
  sed -e "s|/etc/vsftpd/keystay/ftp|$scratch/vsftpd/$3|" -e "s|^listen_port=.*|listen_address=127.0.0.1|" \
    "$examples/vsftpd/vsftpd.conf" >"$scratch/vsftpd.conf"
  [[ "$2" == explicit ]] || sed -i 's|^#implicit_ssl|implicit_ssl|' "$scratch/vsftpd.conf"
  # Data connections of clients that resume nothing are let in, so that they cost signatures.
  printf '%s\n' "listen_port=$1" "background=NO" "require_ssl_reuse=NO" "ftpd_banner=$4" >>"$scratch/vsftpd.conf"
}

greets_with() { [[ "$(control_connection "${@:2}" -quiet)" == *"220 $1"* ]]; }

# serves MODE SCHEME ALIAS KIND OPTION …: OPTIONs are what s_client needs for the mode.
serves() {
  local mode="$1" scheme="$2" alias="$3" kind="$4" port url
  shift 4
  port="$(free_port)"
  url="$scheme://localhost:$port"
  configure "$port" "$mode" "$alias" "before the reload"
  start vsftpd others unshare --mount sh -euc "$in_private_etc" "$scratch/etc" vsftpd "$scratch/vsftpd.conf"
  wait_for vsftpd listens "$port"

  expect_signed_with "$(control_connection "$port" "$@" -tls1_3)" "$kind"
  expect_signed_with "$(control_connection "$port" "$@" -tls1_2)" "$kind"
  transfers "$url"
  [[ "$(signs_for transfers "$url" "$no_resumption")" -gt 1 ]] || fail "the data connections of $url cost no signature"
  survives_blinks_in_a_session "$url" "$no_resumption"
  survives_blinks transfers "$url" "$no_resumption"

  # A reload takes new settings, but vsftpd reads certificates only when it starts.
  greets_with "before the reload" "$port" "$@" || fail "the server does not greet as it is told to"
  configure "$port" "$mode" "$alias" "after the reload"
  kill -HUP "${pids[vsftpd]}"
  wait_for vsftpd greets_with "after the reload" "$port" "$@"

  leave_in_mid_handshake "$port" 1 "$@"
  transfers "$url"
  wait_for vsftpd no_sessions vsftpd

  # vsftpd has no handler for SIGTERM.
  kill -TERM "${pids[vsftpd]}"
  join_signalled vsftpd TERM
}

serves explicit ftp ftp-rsa RSA-PSS -starttls ftp
serves implicit ftps ftp-ec ECDSA
