#!/usr/bin/env bash
# Postfix' smtpd offers STARTTLS by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need postfix postfix
[[ "$(id -u)" -eq 0 ]] || skip "Postfix has to be started by root"
# Postfix wants an owner whose group is nobody else's. Here it is a user that every system has.
readonly owner=daemon
prepare_recipe "$owner"
port="$(free_port)"

# The package is unpacked, not installed: directories and libraries are where it was.
daemons=/usr/lib/postfix
[[ -x "$daemons/sbin/master" ]] || daemons="$unpacked/usr/lib/postfix"
export LD_LIBRARY_PATH="$daemons"
queue="$scratch/queue"
mkdir -p "$scratch/postfix" "$scratch/data" "$queue"/{pid,private,public}
for directory in active bounce corrupt defer deferred flush hold incoming maildrop saved trace; do
  mkdir "$queue/$directory"
done
chown "$owner" "$scratch/data" "$queue"/{private,public,active,bounce,corrupt,defer,deferred,flush,hold,incoming,saved,trace}
{
  recipe "postfix main.cf" "s|^import_environment = .*|& SOFTHSM2_CONF=$SOFTHSM2_CONF LD_LIBRARY_PATH=$daemons|"
  cat <<CONF
compatibility_level = 3.6
myhostname = localhost
queue_directory = $queue
data_directory = $scratch/data
daemon_directory = $daemons/sbin
shlib_directory = no
mail_owner = $owner
setgid_group = mail
alias_maps =
local_recipient_maps =
maillog_file = $scratch/postfix.log
maillog_file_prefixes = $scratch
inet_protocols = ipv4
CONF
} >"$scratch/postfix/main.cf"
{
  recipe "postfix master.cf" "s|^smtp |127.0.0.1:$port |"
  cat <<CONF
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
proxymap  unix  -       -       n       -       -       proxymap
anvil     unix  -       -       n       -       1       anvil
postlog   unix-dgram n  -       n       -       1       postlogd
CONF
} >"$scratch/postfix/master.cf"

# greets: a client that verifies the server and speaks SMTP over TLS.
greets() {
  plain python3 - "$port" "$scratch/ca.pem" <<'PYTHON'
import smtplib, ssl, sys
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=60) as client:
    client._host = "localhost"
    client.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))
    sys.exit(0 if client.ehlo()[0] == 250 and client.noop()[0] == 250 else 1)
PYTHON
}

# Its signals go to a process group of its own.
start master setsid "$daemons/sbin/master" -c "$scratch/postfix" -d
wait_for master listens "$port"
serves_both httpd "$port" -starttls smtp
greets || fail "no SMTP over TLS"
reloads master kill -HUP "${pids[master]}" -- "$port" -starttls smtp
greets || fail "no SMTP over TLS after the reload"
kill -TERM "${pids[master]}"
join_signalled master TERM
