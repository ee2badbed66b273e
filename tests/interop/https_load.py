#!/usr/bin/env python3
"""Full TLS handshakes and requests against a server until stdin closes, or has a line.

  https_load.py PORT CA_FILE THREADS [PATH]

Prints a line per request, `served` or `failed: why`. Exits with 1 if one failed or none was made.
"""

import http.client
import ssl
import sys
import threading
from collections.abc import Callable


def request(port: int, ca_file: str, path: str) -> str:
    # A context of its own per connection: no session is resumed, so every handshake needs a signature.
    context = ssl.create_default_context(cafile=ca_file)
    connection = http.client.HTTPSConnection("localhost", port, timeout=60, context=context)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return "served" if answer.status == 200 else f"failed: status {answer.status}"
    except (OSError, http.client.HTTPException) as error:
        return f"failed: {error!r}"
    finally:
        connection.close()


def load(request: Callable[[int, str, str], str]) -> int:
    """Makes requests as the command line says, each by this function. Returns the exit code."""
    port, ca_file, threads = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    path = sys.argv[4] if len(sys.argv) > 4 else "/"
    over = threading.Event()
    outcomes = []

    def requests():
        while not over.is_set():
            outcomes.append(request(port, ca_file, path))
            sys.stdout.write(outcomes[-1] + "\n")  # at once, so that lines of two threads stay apart
            sys.stdout.flush()

    workers = [threading.Thread(target=requests) for _ in range(threads)]
    for worker in workers:
        worker.start()
    sys.stdin.readline()
    over.set()
    for worker in workers:
        worker.join()
    return 0 if outcomes and all(outcome == "served" for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(load(request))
