#!/usr/bin/env bash
# PostgreSQL protects its connections with an RSA or an EC alias, and psql verifies it in full; a reload takes the other
# alias, and a token that blinks is survived.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Debian keeps the programs of each version in a directory of its own.
postgresql="$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)"
postgresql="${postgresql%/postgres}"
readonly postgresql
[[ -x "$postgresql/postgres" ]] || skip "postgres is not installed (package postgresql)"
command -v psql >/dev/null || skip "psql is not installed (package postgresql-client)"

# PostgreSQL refuses to run as root.
as_server=()
if [[ "$(id -u)" -eq 0 ]]; then as_server=(setpriv --reuid postgres --regid postgres --clear-groups); fi

make_blinking_token
make_ca
make_alias db-rsa -keyalg RSA -keysize 2048
make_alias db-ec -keyalg EC -groupname secp256r1
use_provider

readonly data="$scratch/data" settings="$scratch/settings"
mkdir "$data" "$settings"
chmod 700 "$data"
echo "a password of the test" >"$scratch/password"
# use_alias ALIAS: the example's certificate and key are this one's.
use_alias() {
  install --mode=600 "$scratch/$1.chain" "$settings/db.crt"
  install --mode=600 "$scratch/$1.pem" "$settings/db.key"
  own_all
}
own_all() {
  [[ "$(id -u)" -ne 0 ]] || chown -R postgres "$data" "$settings" "$scratch/password"
}
[[ "$(id -u)" -ne 0 ]] || give_token_to postgres
use_alias db-rsa

plain "${as_server[@]}" env HOME="$scratch" "$postgresql/initdb" --pgdata="$data" --username=keystay --no-sync \
  --auth=scram-sha-256 --pwfile="$scratch/password" >"$scratch/initdb.log" 2>&1

port="$(free_port)"
sed "s|/etc/postgresql/keystay|$settings|" "$examples/postgresql/postgresql.conf" >"$data/tls.conf"
cp "$examples/postgresql/pg_hba.conf" "$data/pg_hba.conf"
cat >>"$data/postgresql.conf" <<CONF
include 'tls.conf'
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
fsync = off
CONF
own_all

start postgres others "${as_server[@]}" "$postgresql/postgres" -D "$data"

# query SQL: by a new connection, of which psql verifies certificate and name.
query() {
  PGPASSWORD="$(cat "$scratch/password")" plain psql --no-psqlrc --tuples-only --no-align --command="$1" \
    "host=localhost hostaddr=127.0.0.1 port=$port user=keystay dbname=postgres sslmode=verify-full
     sslrootcert=$scratch/ca.pem connect_timeout=60"
}
# encrypted: the server itself says that the connection is.
encrypted() {
  local answer
  answer="$(query 'SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()')"
  [[ "$answer" == "t|TLSv1.3" ]]
}
wait_for postgres encrypted

# signature_of -tls1_3 …: the kind of key that the server signed with.
signature_of() {
  plain openssl s_client -starttls postgres -connect "127.0.0.1:$port" -CAfile "$scratch/ca.pem" \
    -verify_return_error -brief "$@" 2>&1 </dev/null
}
expect_signed_with "$(signature_of -tls1_3)" RSA-PSS
expect_signed_with "$(signature_of -tls1_2 -sigalgs RSA+SHA256)" RSA
survives_blinks encrypted

# A reload takes the other alias; a connection that is open stays.
use_alias db-ec
kill -HUP "${pids[postgres]}"
signs_ecdsa() { signed_with "$(signature_of -tls1_3)" ECDSA; }
wait_for postgres signs_ecdsa
expect_signed_with "$(signature_of -tls1_2)" ECDSA
survives_blinks encrypted

stop postgres INT # fast shutdown
if grep -E 'was terminated by signal|PANIC' "$scratch/postgres.log"; then
  fail "PostgreSQL had something to complain about"
fi
