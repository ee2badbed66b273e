#!/usr/bin/env python3
"""Asks a server on 127.0.0.1 for an A record by DNS over TLS (RFC 7858), and prints the address.

  dns_over_tls.py PORT CA_FILE NAME
"""

import socket
import ssl
import struct
import sys

port, ca_file, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
query = struct.pack(">6H", 0x4B53, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)

context = ssl.create_default_context(cafile=ca_file)
with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(struct.pack(">H", len(query)) + query)
        stream = connection.makefile("rb")
        answer = stream.read(struct.unpack(">H", stream.read(2))[0])

# One answer, compressed: a pointer to the name, type A, class IN, a time to live, and four bytes (RFC 1035, 4.1.3).
if struct.unpack(">2H", answer[4:8]) != (1, 1) or answer[:2] != query[:2]:
    sys.exit(f"no answer to {name}: {answer.hex()}")
print(socket.inet_ntoa(answer[len(query) + 12:len(query) + 16]))
