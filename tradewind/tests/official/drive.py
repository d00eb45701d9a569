"""Starts the program and a receiver of each official package, and checks that what the program sends verifies there.

    drive.py PROGRAM
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 60
# Letters of two, three and four bytes, and what JSON escapes.
NAME = 'Käse "€" 🧀 \\ \u2028'
DEALS = 5


class Process:
    """A child, its lines, and its end with ours."""

    def __init__(self, *command, cwd=None):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEWIND_")}
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd, env=environment
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line.rstrip("\n"))

    def line(self, what):
        try:
            return self.lines.get(timeout=PATIENCE)
        except queue.Empty:
            sys.exit(f"official/check: {what} did not come within {PATIENCE} s")

    def address(self, what):
        while True:
            line = self.line(f"where {what} listens")
            if line.startswith("listening on "):
                return line.removeprefix("listening on ")

    def end(self):
        self.child.kill()
        self.child.wait()


def ask(base, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"official/check: {method} {path}: {error.code} {error.read().decode()}")


def tell(receiver, secret):
    """Gives the receiver a secret, and waits until it has it."""
    receiver.child.stdin.write(secret + "\n")
    receiver.child.stdin.flush()
    while "secrets" not in json.loads(receiver.line("a receiver's word")):
        pass


def arrivals(name, receiver, count):
    """The bodies of the next webhooks, by id, each verified."""
    found = {}
    until = time.monotonic() + PATIENCE
    while len(found) < count:
        if time.monotonic() > until:
            sys.exit(f"official/check: {name}: only {len(found)} of {count} webhooks came")
        said = json.loads(receiver.line(f"{name}: webhook {len(found) + 1} of {count}"))
        if "wrong" in said:
            sys.exit(f"official/check: {name} does not verify {said['id']}: {said['wrong']}")
        found[said["id"]] = said["body"]
    return found


def deals(base):
    for number in range(DEALS):
        deal = {"name": f"{NAME} {number}", "currency": "GBP", "items": [{"name": NAME, "price": 1200}]}
        ask(base, "POST", "/v1/deals", deal)


def main(program):
    receivers = {
        "PyPI": Process(sys.executable, os.path.join(HERE, "receiver.py")),
        "npm": Process("node", os.path.join(HERE, "receiver.cjs")),
    }
    folder = tempfile.TemporaryDirectory()
    arguments = ["serve", "--listen", "127.0.0.1:0", "--log", "error", "--webhook-allow-net", "127.0.0.1"]
    server = Process(program, *arguments, cwd=folder.name)
    try:
        base = server.address("the program")
        endpoints = {}
        for name, receiver in receivers.items():
            wish = {"url": f"http://127.0.0.1:{receiver.address(name)}/in", "patterns": ["deal.*"]}
            endpoints[name] = ask(base, "POST", "/v1/webhooks/endpoints", wish)
            tell(receiver, endpoints[name]["secret"])
        deals(base)
        for name, receiver in receivers.items():
            for body in arrivals(name, receiver, DEALS).values():
                assert body["type"] == "deal.created" and body["data"]["name"].startswith(NAME), body
        # While a secret is rotated both sign: the old one is enough, and so is the new one.
        fresh = {name: ask(base, "POST", f"/v1/webhooks/endpoints/{one['id']}/rotate-secret", {}) for name, one in endpoints.items()}
        deals(base)
        for name, receiver in receivers.items():
            arrivals(f"{name}, with the old secret", receiver, DEALS)
            tell(receiver, fresh[name]["secret"])
        deals(base)
        for name, receiver in receivers.items():
            arrivals(f"{name}, with the new secret", receiver, DEALS)
    finally:
        for process in (server, *receivers.values()):
            process.end()
    print(f"webhooks verify with the official packages of {' and '.join(receivers)}: {3 * DEALS} each")


if __name__ == "__main__":
    main(sys.argv[1])
