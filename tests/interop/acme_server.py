#!/usr/bin/env python3
"""An ACME server that does one thing wrong: acme_server.py PORT CERTIFICATE KEY FAULT [FILE].

It believes every JWS, and every authorization is valid at once.
"""
import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, CERTIFICATE, KEY, FAULT = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
FILE = sys.argv[5] if len(sys.argv) > 5 else None
BASE = f"https://localhost:{PORT}"
PROBLEM = "urn:ietf:params:acme:error:"
posts = {}


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body="", headers=()):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Replay-Nonce", "bm9uY2U")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def problem(self, status, kind, detail, headers=()):
        self.answer(status, {"type": PROBLEM + kind, "detail": detail},
                    [("Content-Type", "application/problem+json"), *headers])

    def do_HEAD(self):
        self.answer(200)

    def do_GET(self):
        directory = {"newNonce": BASE + "/nonce", "newAccount": BASE + "/account", "newOrder": BASE + "/order"}
        if FAULT == "clear":
            directory["newNonce"] = directory["newNonce"].replace("https", "http")
        if FAULT == "redirect":
            return self.answer(302, headers=[("Location", BASE + "/elsewhere")])
        if FAULT == "page":
            return self.answer(502, "<html>Bad Gateway</html>")
        if FAULT == "endless":
            return self.answer(200, "[" * (2 << 20))
        if FAULT == "deep":
            return self.answer(200, "[" * (1 << 19))
        return self.answer(200, directory)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        posts[self.path] = posts.get(self.path, 0) + 1
        if FAULT == "nonces":
            return self.problem(400, "badNonce", "never heard of it")
        return getattr(self, "post_" + self.path.strip("/"))()

    def post_account(self):
        headers = [] if FAULT == "nameless" else [("Location", BASE + "/accounts")]
        self.answer(200, {"status": "valid"}, headers)

    def order(self, status):
        return {"status": status, "authorizations": [BASE + "/authorization"], "finalize": BASE + "/finalize",
                "certificate": BASE + "/certificate"}

    def post_order(self):
        if FAULT == "limited" and posts["/order"] == 1:
            return self.answer(503, headers=[("Retry-After", "1")])
        if FAULT == "limited":
            return self.problem(429, "rateLimited", "too many certificates", [("Retry-After", "3600")])
        return self.answer(201, self.order("pending"), [("Location", BASE + "/orders")])

    def post_orders(self):
        self.answer(200, self.order("valid" if posts.get("/finalize") else "ready"))

    def post_authorization(self):
        value = "evil.example" if FAULT == "other-name" else "www.example"
        challenge = {"type": "http-01", "url": BASE + "/challenge", "token": "../../../tmp/token"}
        status = "pending" if FAULT == "token" else "valid"
        self.answer(200, {"status": status, "identifier": {"type": "dns", "value": value}, "challenges": [challenge]})

    def post_finalize(self):
        self.answer(200, self.order("processing"))

    def post_certificate(self):
        if FAULT == "garbage":
            return self.answer(200, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        with open(FILE, encoding="ascii") as file:
            return self.answer(200, file.read())


server = ThreadingHTTPServer(("127.0.0.1", PORT), Server)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
