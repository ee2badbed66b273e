#!/usr/bin/env python3
"""Sessions of implicit FTPS with the server of examples/java-server, until stdin closes, or has a line.

  ftps_load.py PORT CA_FILE THREADS PATH

Each logs in and fetches the file: a full handshake for the control connection and one for the data connection. Prints a
line per session, and exits, as https_load.py does.
"""

import ftplib
import socket
import ssl
import sys

from https_load import load


class ImplicitFtps(ftplib.FTP_TLS):
    """RFC 4217 knows explicit FTPS alone, and so does ftplib: here TLS comes before the server's greeting."""

    def connect_by_tls(self, port: int) -> None:
        self.host = "localhost"
        connection = socket.create_connection(("127.0.0.1", port), timeout=self.timeout)
        self.af = connection.family
        self.sock = self.context.wrap_socket(connection, server_hostname=self.host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()


def session(port: int, ca_file: str, path: str) -> str:
    received = bytearray()
    ftp = ImplicitFtps(context=ssl.create_default_context(cafile=ca_file), timeout=60)
    try:
        ftp.connect_by_tls(port)
        ftp.login("demo", "demo")
        ftp.prot_p()
        ftp.retrbinary("RETR " + path, received.extend)
        ftp.quit()
        return "served" if received else "failed: nothing was received"
    except (OSError, EOFError, ftplib.Error) as error:
        return f"failed: {error!r}"
    finally:
        ftp.close()


if __name__ == "__main__":
    sys.exit(load(session))
