#!/usr/bin/env python3
"""A service manager for keystay-tlsd, as systemd is one: it holds the listening socket and listens to what the service says.

  socket_activation.py restarts TLSD CONFIGURATION PORT BACKEND_PORT CA_FILE
  socket_activation.py passes TLSD CONFIGURATION PORT...

`restarts` restarts the service under a load of full handshakes and requests, and exits with 1 if one of these failed.
`passes` starts the service with sockets on these ports (a port with `u` in front: of UDP), and exits as it does.
"""

import fcntl
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import https_load

RESTARTS = 5
WATCHDOG_SECONDS = 1


class Backend(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Service:
    """What systemd does for Type=notify, WatchdogSec= and a .socket unit."""

    def __init__(self, program: str, configuration: str, sockets: list[socket.socket]):
        self.command = [program, "-c", configuration]
        self.sockets = sockets
        self.messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.messages.bind("\0keystay-socket-activation-%d" % os.getpid())
        self.process: subprocess.Popen | None = None

    def _take_place(self):
        # Copies first, so that none is overwritten.
        copies = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 100) for s in self.sockets]
        for i, copy in enumerate(copies):
            os.dup2(copy, 3 + i)
            os.close(copy)

    def start(self):
        environment = dict(
            os.environ,
            LISTEN_FDS=str(len(self.sockets)),
            NOTIFY_SOCKET="@" + self.messages.getsockname()[1:].decode(),
            WATCHDOG_USEC=str(WATCHDOG_SECONDS * 1000000),
        )
        # subprocess passes an environment of its own, in which the child's number cannot stand: a shell knows it.
        self.process = subprocess.Popen(
            ["sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"', *self.command],
            env=environment,
            preexec_fn=self._take_place,
            close_fds=False,
        )

    def hear(self, message: str, seconds: float = 60):
        """Waits for this message."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.messages.settimeout(left)
            try:
                said = self.messages.recv(4096).decode()
            except socket.timeout:
                break
            if message in said.split("\n"):
                return
        sys.exit(f"the service did not say {message}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def listening(port: str) -> socket.socket:
    kind = socket.SOCK_DGRAM if port.startswith("u") else socket.SOCK_STREAM
    s = socket.socket(socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(port.lstrip("u"))))
    if kind == socket.SOCK_STREAM:
        s.listen(1024)
    return s


def restarts(program: str, configuration: str, port: str, backend_port: str, ca_file: str) -> int:
    backend = http.server.ThreadingHTTPServer(("127.0.0.1", int(backend_port)), Backend)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    service = Service(program, configuration, [listening(port)])
    outcomes: list[str] = []
    over = threading.Event()

    def requests():
        while not over.is_set():
            outcomes.append(https_load.request(int(port), ca_file, "/"))

    # They begin before anybody accepts: the socket is there.
    workers = [threading.Thread(target=requests) for _ in range(4)]
    for worker in workers:
        worker.start()
    for _ in range(RESTARTS):
        service.start()
        service.hear("READY=1")
        served = outcomes.count("served")
        for _ in range(3):
            service.hear("WATCHDOG=1")
        while outcomes.count("served") < served + 50 and service.process.poll() is None:
            time.sleep(0.01)
        code = service.stop()
        service.hear("STOPPING=1")
        if code != 0:
            sys.exit(f"the service ended with {code}")
    service.start()
    service.hear("READY=1")
    over.set()
    for worker in workers:
        worker.join()
    service.stop()
    failed = [outcome for outcome in outcomes if outcome != "served"]
    print(f"{RESTARTS} restarts: {len(outcomes)} requests, {len(failed)} failed", *failed[:5], sep="\n")
    return 1 if failed or not outcomes else 0


def passes(program: str, configuration: str, *ports: str) -> int:
    service = Service(program, configuration, [listening(port) for port in ports])
    service.start()
    return service.process.wait(timeout=60)


if __name__ == "__main__":
    sys.exit({"restarts": restarts, "passes": passes}[sys.argv[1]](*sys.argv[2:]))
