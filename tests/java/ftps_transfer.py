#!/usr/bin/env python3
"""Uploads and downloads a file over FTPS with protected data connections, and compares.

  ftps_transfer.py explicit|implicit PORT 1.2|1.3 CA.PEM

A client that ends TLS as RFC 8446 asks. curl closes the socket after an upload with the server's session tickets unread,
which resets the connection and loses the end of the file on servers that send tickets, whatever key they use.
"""

import ftplib
import io
import os
import ssl
import sys

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class ImplicitFtp(ftplib.FTP_TLS):
    """TLS from the first byte, as on port 990."""

    def connect(self, host="", port=0, timeout=-999, source_address=None):
        super().connect(host, port, timeout, source_address)
        return self.welcome

    def getresp(self):
        if not isinstance(self.sock, ssl.SSLSocket):
            self.sock = self.context.wrap_socket(self.sock, server_hostname=self.host)
            self.file = self.sock.makefile(mode="r", encoding=self.encoding)
        return super().getresp()


def main() -> int:
    mode, port, version, ca = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = context.maximum_version = VERSIONS[version]
    content = os.urandom(300_000)
    client = (ImplicitFtp if mode == "implicit" else ftplib.FTP_TLS)(context=context, timeout=60)
    client.connect("localhost", int(port))
    client.login("demo", "demo")
    client.prot_p()
    client.storbinary("STOR file", io.BytesIO(content))
    received = io.BytesIO()
    client.retrbinary("RETR file", received.write)
    protocol = client.sock.version()
    client.quit()
    if received.getvalue() != content:
        print(f"{mode} FTPS on port {port} gave back other bytes")
        return 1
    print(f"{mode} FTPS with {protocol}: {len(content)} bytes there and back")
    return 0


if __name__ == "__main__":
    sys.exit(main())
