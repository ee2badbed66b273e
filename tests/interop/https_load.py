#!/usr/bin/env python3
"""Full TLS handshakes and requests against a server until stdin closes; then reports how many succeeded.

  https_load.py PORT CA_FILE THREADS

Prints one line: `N requests, N failures`, and the first failures. Exits with 1 if there were failures or no requests.
"""

import http.client
import ssl
import sys
import threading


def main() -> int:
    port, ca_file, threads = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    over = threading.Event()
    lock = threading.Lock()
    successes = 0
    failures = []

    def requests():
        nonlocal successes
        # A context of its own per connection: no session is resumed, every handshake needs a signature.
        while not over.is_set():
            try:
                context = ssl.create_default_context(cafile=ca_file)
                connection = http.client.HTTPSConnection("localhost", port, timeout=60, context=context)
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                connection.close()
                if answer.status != 200:
                    raise ValueError(f"status {answer.status}")
                with lock:
                    successes += 1
            except (OSError, http.client.HTTPException, ValueError) as error:
                with lock:
                    failures.append(repr(error))

    workers = [threading.Thread(target=requests) for _ in range(threads)]
    for worker in workers:
        worker.start()
    sys.stdin.read()
    over.set()
    for worker in workers:
        worker.join()
    print(f"{successes} requests, {len(failures)} failures", *failures[:5], sep="\n  ")
    return 1 if failures or not successes else 0


if __name__ == "__main__":
    sys.exit(main())
