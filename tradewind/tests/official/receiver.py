"""A receiver as the official Python package has it: verifies every webhook, and prints a line about it.

Reads its secrets from standard input, a line each; the newest counts. Prints `listening on PORT` first.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook

secrets = []
mouth = threading.Lock()


def say(line):
    """A whole line at once: webhooks come on several connections, each with its thread."""
    with mouth:
        print(line, flush=True)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        said = {"id": self.headers["webhook-id"]}
        try:
            said["body"] = Webhook(secrets[-1]).verify(body, dict(self.headers))
        except Exception as error:
            said["wrong"] = f"{type(error).__name__}: {error}"
        say(json.dumps(said))
        self.send_response(400 if "wrong" in said else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def listen():
    for line in sys.stdin:
        secrets.append(line.strip())
        say(json.dumps({"secrets": len(secrets)}))


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
# A sender that ends with its connections open is no error here.
server.handle_error = lambda *_: None
say(f"listening on {server.server_port}")
threading.Thread(target=listen, daemon=True).start()
server.serve_forever()
