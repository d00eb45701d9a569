"""Starts the program with a key, and runs schemathesis over all operations of its document.

    fuzz.py PROGRAM SECONDS

SECONDS is how long all of it takes: each operation's examples, its edges, requests made up at random, and walks along what answers
lead to. It says at the end which of these it came to.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 60
# Seconds, should schemathesis not keep to its time.
LONGEST = 900


class Server:
    """The program in a folder of its own; what it prints."""

    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEWIND_")}
        # Orders are executed at once, so that answers show all states. The proxy is schemathesis: see hooks.py.
        arguments = ["serve", "--listen", "127.0.0.1:0", "--log", "error", "--venue", "paper?pace=instant"]
        self.child = subprocess.Popen(
            [program, *arguments, "--trusted-proxy", "127.0.0.1"],
            stdout=subprocess.PIPE, text=True, cwd=self.folder.name, env=environment,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line.rstrip("\n"))

    def address(self):
        while True:
            try:
                line = self.lines.get(timeout=PATIENCE)
            except queue.Empty:
                sys.exit(f"openapi/check: the program did not listen within {PATIENCE} s")
            if line.startswith("listening on "):
                return line.removeprefix("listening on ")

    def end(self):
        alive = self.child.poll() is None
        self.child.kill()
        self.child.wait()
        self.folder.cleanup()
        return alive


def first_key(base):
    """From here on every request needs a key."""
    body = json.dumps({"role": "admin", "name": "schemathesis"}).encode()
    request = urllib.request.Request(f"{base}/v1/keys", body, {"content-type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def run(base, key, seconds):
    python = os.path.dirname(sys.executable)
    ours = {"SCHEMATHESIS_HOOKS": os.path.join(HERE, "hooks.py"), "FUZZ_KEY_ID": key["id"], "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **ours}
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [
                os.path.join(python, "schemathesis"), "--config-file", os.path.join(HERE, "schemathesis.toml"),
                "run", f"{base}/openapi.json", "--header", f"Authorization: Bearer {key['key']}",
                "--max-time", str(seconds), "--checks", "all",
            ],
            cwd=folder, env=environment, timeout=LONGEST, check=False,
        ).returncode


def main(program, seconds):
    server = Server(program)
    alive = False
    try:
        base = server.address()
        status = run(base, first_key(base), int(seconds))
    finally:
        alive = server.end()
    if not alive:
        sys.exit("openapi/check: the program ended while it was asked")
    sys.exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
