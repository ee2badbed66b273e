#!/usr/bin/env python3
"""A server of HTTP/1.1 for bodies in bulk.

  bulk_server.py PORT    GET /SIZE is answered with so many bytes; any other method takes a body that has Content-Length, and is
                         answered when all of it was read
"""

import os
import signal
import socket
import sys
import threading

BLOCK = 16 << 20
block = os.memfd_create("block")
os.write(block, os.urandom(BLOCK))


def read_head(client: socket.socket) -> tuple[bytes, int]:
    """The head, and how many bytes came behind it."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = client.recv(65536)
        if not more:
            raise ConnectionError("the head is not complete")
        head += more
    end = head.index(b"\r\n\r\n") + 4
    return head[:end], len(head) - end


def field(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    raise ValueError(f"no {name.decode()}")


def send_body(client: socket.socket, size: int) -> None:
    while size > 0:
        offset = 0
        while offset < min(size, BLOCK):
            offset += os.sendfile(client.fileno(), block, offset, min(size, BLOCK) - offset)
        size -= offset


def take_body(client: socket.socket, size: int) -> None:
    buffer = bytearray(256 << 10)
    while size > 0:
        count = client.recv_into(buffer)
        if count == 0:
            raise ConnectionError("the body is not complete")
        size -= count


def serve(client: socket.socket) -> None:
    with client:
        head, rest = read_head(client)
        method, target, _ = head.split(b" ", 2)
        if method == b"GET":
            size = int(target[1:])
            client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
            send_body(client, size)
        else:
            take_body(client, int(field(head, b"content-length")) - rest)
            client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


def main(port: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
