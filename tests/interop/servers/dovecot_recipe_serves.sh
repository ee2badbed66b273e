#!/usr/bin/env bash
# Dovecot's imap-login serves IMAP over TLS by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need dovecot dovecot-core
[[ -e /usr/lib/dovecot/imap-login ]] || skip "imap-login is not installed (package dovecot-imapd)"
[[ "$(id -u)" -eq 0 ]] || skip "Dovecot has to be started by root"
prepare_recipe nobody
port="$(free_port)"
mkdir -p "$scratch/run" "$scratch/mail"
chown nobody "$scratch/mail"
group="s|extra_groups = keystay|extra_groups = $(id -gn nobody)|"

# The login processes run as dovenull, and get to the token by the extra group only.
configure_2_3() {
  recipe "dovecot.conf 2.3" "$group" "s|^import_environment = .*|& SOFTHSM2_CONF=$SOFTHSM2_CONF|"
  cat <<CONF
mail_location = maildir:$scratch/mail
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=$(id -gn nobody) home=$scratch/mail
}
CONF
}
configure_2_4() {
  printf 'dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n'
  recipe "dovecot.conf 2.4" "$group" "s|^  OPENSSL_CONF.*|&\n  SOFTHSM2_CONF = $SOFTHSM2_CONF|"
  cat <<CONF
mail_driver = maildir
mail_path = $scratch/mail
passdb static {
  password = secret
}
userdb static {
  fields {
    uid = nobody
    gid = $(id -gn nobody)
    home = $scratch/mail
  }
}
CONF
}
case "$(dovecot --version)" in
  2.3.*) configure_2_3 ;;
  *) configure_2_4 ;;
esac >"$scratch/dovecot.conf"
cat >>"$scratch/dovecot.conf" <<CONF
base_dir = $scratch/run
state_dir = $scratch/run
log_path = /dev/stderr
protocols = imap
first_valid_uid = 1
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = $port
    ssl = yes
  }
}
CONF

# logs_in: a client that verifies the server and opens its inbox.
logs_in() {
  plain python3 - "$port" "$scratch/ca.pem" <<'PYTHON'
import imaplib, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
client = imaplib.IMAP4_SSL("localhost", int(sys.argv[1]), ssl_context=context, timeout=60)
client.login("alice", "secret")
status, _ = client.select("INBOX")
client.logout()
sys.exit(0 if status == "OK" else 1)
PYTHON
}

start dovecot dovecot -F -c "$scratch/dovecot.conf"
wait_for dovecot listens "$port"
serves_both httpd "$port"
logs_in || fail "no login"
reloads dovecot plain doveadm -c "$scratch/dovecot.conf" reload -- "$port"
logs_in || fail "no login after the reload"
stop dovecot TERM
