#!/usr/bin/env bash
# MariaDB protects its connections by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need mariadbd mariadb-server-core
need mariadb mariadb-client-core
prepare_recipe nobody
port="$(free_port)"
root=/usr
[[ -x /usr/sbin/mariadbd ]] || root="$unpacked/usr"
# From MariaDB 11 on, files that were called mysql are called mariadb.
share="$root/share/mysql" tables=mysql_system_tables
if [[ -e "$root/share/mariadb/mariadb_system_tables.sql" ]]; then
  share="$root/share/mariadb" tables=mariadb_system_tables
fi
mkdir "$scratch/data"
{
  recipe mariadb.cnf
  cat <<CONF
basedir = $root
datadir = $scratch/data
socket = $scratch/mariadb.sock
port = $port
bind_address = 127.0.0.1
pid_file = $scratch/mariadb.pid
lc_messages_dir = $share
skip_name_resolve
skip_log_bin
innodb_flush_method = fsync
innodb_log_file_size = 8M
innodb_buffer_pool_size = 16M
innodb_fast_shutdown = 2
CONF
  [[ "$(id -u)" -ne 0 ]] || echo "user = nobody"
} >"$scratch/mariadb.cnf"

# The system tables, and a user of the test, who may come by TLS only.
make_database() {
  {
    printf 'create database mysql;\nuse mysql;\n'
    cat "$share/$tables.sql" "$share/${tables}_data.sql"
    printf "flush privileges;\ncreate user keystay@'%%' identified by 'secret' require ssl;\n"
  } >"$scratch/bootstrap.sql"
  plain mariadbd --defaults-file="$scratch/mariadb.cnf" --bootstrap <"$scratch/bootstrap.sql" >"$scratch/bootstrap.log" 2>&1
  [[ "$(id -u)" -ne 0 ]] || chown -R nobody "$scratch/data"
}
[[ "$(id -u)" -ne 0 ]] || chown nobody "$scratch" "$scratch/data"
make_database

# query SQL: by a new connection, of which the client verifies certificate and name.
query() {
  plain mariadb --no-defaults --protocol=tcp -h localhost -P "$port" -u keystay --password=secret --batch \
    --skip-column-names --ssl-ca="$scratch/ca.pem" --ssl-verify-server-cert -e "$1"
}
# flush_ssl: by the socket, as an administrator does.
flush_ssl() { plain mariadb --no-defaults -S "$scratch/mariadb.sock" -u root -e "FLUSH SSL"; }

start mariadb mariadbd --defaults-file="$scratch/mariadb.cnf"
wait_for mariadb listens "$port"
serves_both httpd "$port" -starttls mysql
expect "$(query "SHOW SESSION STATUS LIKE 'Ssl_version'")" "TLSv1.3"
reloads mariadb flush_ssl -- "$port" -starttls mysql
expect "$(query "SHOW SESSION STATUS LIKE 'Ssl_version'")" "TLSv1.3"
stop mariadb TERM
