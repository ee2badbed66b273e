#!/usr/bin/env python3
"""A server of HTTP/1.1 on 127.0.0.1: sends back the body of a request, or the fields of one that has none.

http_echo.py PORT
"""
import http.server
import sys

PIECE = 65536


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers each request; a connection serves many."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        """A line for each request is too many."""

    def chunks(self):
        """The body of a chunked request, chunk by chunk."""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def answer(self):
        """With the same framing as the request's."""
        self.send_response(200)
        if self.headers.get("Transfer-Encoding"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in self.chunks():
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.write(b"0\r\n\r\n")
            return
        left = int(self.headers.get("Content-Length", 0))
        fields = b"" if left else bytes(self.headers)
        self.send_header("Content-Length", str(left or len(fields)))
        self.end_headers()
        self.wfile.write(fields)
        while left:
            piece = self.rfile.read(min(left, PIECE))
            self.wfile.write(piece)
            left -= len(piece)

    do_GET = do_POST = do_PUT = answer  # pylint: disable=invalid-name


class Server(http.server.ThreadingHTTPServer):
    """Many clients may come at once."""
    request_queue_size = 256
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
