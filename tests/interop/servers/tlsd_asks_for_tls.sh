#!/usr/bin/env bash
# keystay-tlsd holds the dialogue of STARTTLS in front of servers without TLS: PostgreSQL with psql, Dovecot with curl,
# and a server of SMTP with Python's client; s_client asks all of them.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

postgresql="$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)"
postgresql="${postgresql%/postgres}"
readonly postgresql
[[ -x "$postgresql/postgres" ]] || skip "postgres is not installed (package postgresql)"
need psql postgresql-client
need dovecot dovecot-core
[[ -e /usr/lib/dovecot/imap-login ]] || skip "imap-login is not installed (package dovecot-imapd)"
[[ "$(id -u)" -eq 0 ]] || skip "Dovecot has to be started by root"
readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"
[[ -x "$tlsd" ]] || skip "keystay-tlsd is not built"

make_token
make_ca
make_alias httpd -keyalg EC
postgres_tls="$(free_port)"
smtp_tls="$(free_port)"
imap_tls="$(free_port)"
postgres="$(free_port)"
smtp="$(free_port)"
imap="$(free_port)"
admin="$(free_port)"
readonly postgres_tls smtp_tls imap_tls postgres smtp imap admin
sed -e "s|/usr/lib/softhsm/libsofthsm2.so|$(softhsm_module)|" -e "s|/etc/keystay/web.pin|$scratch/web.pin|" \
  -e "s|0.0.0.0:5432|127.0.0.1:$postgres_tls|" -e "s|0.0.0.0:587|127.0.0.1:$smtp_tls|" \
  -e "s|0.0.0.0:143|127.0.0.1:$imap_tls|" -e "s|127.0.0.1:15432|127.0.0.1:$postgres|" \
  -e "s|127.0.0.1:10587|127.0.0.1:$smtp|" -e "s|127.0.0.1:10143|127.0.0.1:$imap|" -e "s|127.0.0.1:9440|127.0.0.1:$admin|" \
  "$examples/tlsd-starttls/keystay.toml" >"$scratch/tlsd.toml"

# --- the servers behind, as the example's README has them -----------------------------------------------------------------
readonly data="$scratch/data"
mkdir "$data" "$scratch/run" "$scratch/mail"
chmod 755 "$scratch"
chmod 700 "$data"
echo "a password of the test" >"$scratch/password"
chown -R postgres "$data" "$scratch/password"
readonly as_server=(setpriv --reuid postgres --regid postgres --clear-groups)
plain "${as_server[@]}" env HOME="$scratch" "$postgresql/initdb" --pgdata="$data" --username=keystay --no-sync \
  --auth=scram-sha-256 --pwfile="$scratch/password" >"$scratch/initdb.log" 2>&1
printf "listen_addresses = '127.0.0.1'\nport = %s\nunix_socket_directories = ''\nfsync = off\nssl = off\n" "$postgres" \
  >>"$data/postgresql.conf"

chown nobody "$scratch/mail"
case "$(dovecot --version)" in
  2.3.*)
    cat <<CONF
disable_plaintext_auth = no
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
    ;;
  *)
    cat <<CONF
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_allow_cleartext = yes
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
    ;;
esac >"$scratch/dovecot.conf"
cat >>"$scratch/dovecot.conf" <<CONF
ssl = no
base_dir = $scratch/run
state_dir = $scratch/run
log_path = /dev/stderr
protocols = imap
first_valid_uid = 1
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = $imap
  }
}
CONF

# One mail at a time, which it shows in the log.
cat >"$scratch/smtp.py" <<'PYTHON'
import socketserver, sys
class Smtp(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")
    def handle(self):
        self.say("220-behind.example")
        self.say("220 ESMTP")
        for line in self.rfile:
            command = line.decode().strip().upper()
            print("command:", command, flush=True)
            if command == "DATA":
                self.say("354 go on")
                for data in self.rfile:
                    if data.strip() == b".":
                        break
                    print("data:", data.decode().strip(), flush=True)
                self.say("250 taken")
            elif command == "QUIT":
                self.say("221 bye")
                return
            elif command.startswith("EHLO"):
                self.say("250-behind.example")
                self.say("250 8BITMIME")
            else:
                self.say("250 fine")
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Smtp).serve_forever()
PYTHON

start postgres plain "${as_server[@]}" "$postgresql/postgres" -D "$data"
start dovecot plain dovecot -F -c "$scratch/dovecot.conf"
start smtp plain python3 "$scratch/smtp.py" "$smtp"
start tlsd "$tlsd" -c "$scratch/tlsd.toml"
wait_for postgres listens "$postgres"
wait_for dovecot listens "$imap"
wait_for smtp listens "$smtp"
wait_for tlsd listens "$postgres_tls"

echo "== PostgreSQL"
# query SQL [PARAMETER]
query() {
  PGPASSWORD="$(cat "$scratch/password")" plain psql --no-psqlrc --tuples-only --no-align --command="$1" \
    "host=localhost hostaddr=127.0.0.1 port=$postgres_tls user=keystay dbname=postgres sslmode=verify-full
     sslrootcert=$scratch/ca.pem connect_timeout=60 ${2:-}"
}
wait_for postgres query 'SELECT 1'
expect "$(query 'SELECT 6 * 7')" 42
expect "$(query 'SELECT inet_client_addr()')" 127.0.0.1 # its client is keystay-tlsd
if query 'SELECT 1' sslmode=disable >"$scratch/clear.log" 2>&1; then fail "a connection in clear was served"; fi
expect "$(cat "$scratch/clear.log")" "only connections by TLS are served here"
# A query that is cancelled: psql sends a CancelRequest when it is interrupted.
PGPASSWORD="$(cat "$scratch/password")" plain python3 - "$postgres_tls" "$scratch/ca.pem" <<'PYTHON'
import signal, subprocess, sys, time
port, ca = sys.argv[1:]
where = f"host=localhost hostaddr=127.0.0.1 port={port} user=keystay dbname=postgres sslmode=verify-full sslrootcert={ca}"
psql = subprocess.Popen(["psql", "--no-psqlrc", "--command=SELECT pg_sleep(600)", where], stderr=subprocess.PIPE, text=True)
def running():
    out = subprocess.run(["psql", "--no-psqlrc", "-At", "--command",
                          "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()",
                          where], capture_output=True, text=True)
    return out.stdout.strip() == "1"
for _ in range(600):
    if running():
        break
    time.sleep(0.1)  # polling: psql says nothing when the query has begun
psql.send_signal(signal.SIGINT)
_, errors = psql.communicate(timeout=120)
sys.exit(0 if "canceling statement due to user request" in errors else f"psql said: {errors}")
PYTHON

echo "== IMAP"
plain curl --silent --show-error --max-time 60 --ssl-reqd --cacert "$scratch/ca.pem" --user alice:secret \
  --resolve "localhost:$imap_tls:127.0.0.1" "imap://localhost:$imap_tls/" >"$scratch/folders"
expect "$(cat "$scratch/folders")" INBOX

echo "== SMTP"
plain python3 - "$smtp_tls" "$scratch/ca.pem" <<'PYTHON'
import smtplib, ssl, sys
with smtplib.SMTP("localhost", int(sys.argv[1]), timeout=60) as client:
    client.ehlo()
    assert client.has_extn("starttls") and not client.has_extn("8bitmime"), client.esmtp_features
    client.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))
    client.ehlo()
    assert client.has_extn("8bitmime"), client.esmtp_features
    client.sendmail("a@example", ["b@example"], "Subject: a\r\n\r\nin TLS\r\n")
PYTHON
wait_for smtp grep -q "data: in TLS" "$scratch/smtp.log"
[[ "$(grep -c "command: EHLO" "$scratch/smtp.log")" -eq 1 ]] || fail "the server saw a command in clear"
printf 'From: a\n\nby curl\n' | plain curl --silent --show-error --max-time 60 --ssl-reqd --cacert "$scratch/ca.pem" \
  --resolve "localhost:$smtp_tls:127.0.0.1" "smtp://localhost:$smtp_tls" --mail-from a@example --mail-rcpt b@example \
  --upload-file -
wait_for smtp grep -q "data: by curl" "$scratch/smtp.log"

echo "== s_client"
for protocol in "postgres $postgres_tls" "smtp $smtp_tls" "imap $imap_tls"; do
  said="$(plain timeout 60 openssl s_client -starttls "${protocol% *}" -connect "127.0.0.1:${protocol#* }" -servername localhost \
    -CAfile "$scratch/ca.pem" -verify_return_error -brief 2>&1 </dev/null)" || fail "$protocol: $said"
  expect "$said" "Verification: OK"
done
stop tlsd TERM
