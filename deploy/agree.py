"""Whether the deployment files agree with each other and with the program; deploy/check runs it.

    agree.py check PROGRAM OBJECTS        OBJECTS is what kustomize made of k8s/example
    agree.py without-discovery FILE       prints a Prometheus configuration without its discovery
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

import yaml

VARIABLE = re.compile(r"TRADEWIND_[A-Z_]+")
found = []


def wrong(where, what):
    found.append(f"{where}: {what}")


def read(name):
    return pathlib.Path(name).read_text()


def seconds(text):
    """A duration such as 25s."""
    number, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


def stop_takes(variables):
    """How long a server may take to stop; what is no server, and names neither, takes no time."""
    return sum(seconds(variables.get(f"TRADEWIND_{name}", "0s")) for name in ("UNREADY_FOR", "DRAIN_DEADLINE"))


class Program:
    """What the program says of itself."""

    def __init__(self, path):
        self.path = path
        self.helps = {}

    def help(self, command):
        if command not in self.helps:
            told = subprocess.run([self.path, *command.split(), "--help"], capture_output=True, text=True, timeout=30)
            self.helps[command] = told.stdout if told.returncode == 0 else None
        return self.helps[command]

    def check_line(self, where, words, variables):
        """A command line of the program, and the variables that it is given."""
        told = self.help(words[0])
        if told is None:
            return wrong(where, f"`tradewind {words[0]}` is no command")
        # Some commands have commands of their own.
        if len(words) > 1 and not str(words[1]).startswith("-"):
            told += self.help(f"{words[0]} {words[1]}") or ""
        flags = set(re.findall(r"--[a-z][a-z-]*", told))
        for word in words[1:]:
            flag = str(word).split("=")[0]
            if flag.startswith("--") and flag not in flags:
                wrong(where, f"`tradewind {words[0]}` has no {flag}")
        # One environment is given to every command; each name must be known to one of them.
        known = set(VARIABLE.findall("".join(self.help(c) or "" for c in ("serve", "migrate", "keys create", "simnet"))))
        for name in sorted(set(variables) - known):
            if VARIABLE.fullmatch(name):
                wrong(where, f"the program knows no {name}")

    def metrics(self):
        """The names of what a running server measures; checks deploy/healthy on the way."""
        with tempfile.TemporaryDirectory() as folder:
            command = [self.path, "serve", "--listen", "127.0.0.1:0", "--export", "file:events.jsonl"]
            server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                said = server.stdout.readline()
                if not said.startswith("listening on "):
                    sys.exit(f"the server did not start: {server.communicate(timeout=30)[1]}")
                url = said.split()[-1]
                for path, code in (("/health/ready", 0), ("/health/live", 0), ("/nothing", 1)):
                    asked = subprocess.run(["deploy/healthy", path, url.rsplit(":", 1)[1]], capture_output=True, timeout=30)
                    if asked.returncode != code:
                        wrong("deploy/healthy", f"{path} ended with {asked.returncode}, not {code}: {asked.stderr}")
                with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
                    return set(re.findall(r"^# TYPE (\S+)", answer.read().decode(), re.MULTILINE))
            finally:
                server.terminate()
                server.wait(timeout=60)


def environment(service):
    given = service.get("environment") or {}
    return given if isinstance(given, dict) else dict(line.split("=", 1) for line in given)


def check_compose(program):
    name = "docker-compose.yml"
    services = yaml.safe_load(read(name))["services"]
    for service, its in services.items():
        if not str(its.get("image", "")).startswith("tradewind:"):
            continue
        where = f"{name}: {service}"
        program.check_line(where, its["command"], environment(its))
        if stop_takes(environment(its)) >= seconds(its["stop_grace_period"]):
            wrong(where, "stop_grace_period is not above the time that a stop may take")
    asked = {name for name, default in re.findall(r"(?<!\$)\$\{([A-Z_]+)(:-)?", read(name)) if not default}
    example = set(re.findall(r"^([A-Z_]+)=$", read(".env.example"), re.MULTILINE))
    if asked != example:
        wrong(".env.example", f"has not the names that {name} asks for: {sorted(asked ^ example)}")


def check_dockerfile(program):
    text = read("Dockerfile")
    program.check_line("Dockerfile", ["serve"], re.findall(r"^ENV (\w+)=", text, re.MULTILINE))
    rust = re.search(r'^rust-version = "(.*)"', read("Cargo.toml"), re.MULTILINE).group(1)
    if f"FROM rust:{rust}-" not in text:
        wrong("Dockerfile", f"Cargo.toml asks for Rust {rust}")


def check_manual(program):
    name = "docs/operations.md"
    text = read(name)
    for command, rest in re.findall(r"tradewind (serve|migrate|backup|check|keys|simnet)\b([^`\n]*)`", text):
        program.check_line(name, [command, *rest.split()], [])
    helps = "".join(program.help(command) or "" for command in ("serve", "migrate", "keys create", "keys list"))
    for flag in sorted(set(re.findall(r"`(--[a-z-]+)", text)) - set(re.findall(r"--[a-z][a-z-]*", helps))):
        wrong(name, f"the program has no {flag}")
    # The stream in JetStream is no variable; those of the tests are named in ./test.
    others = {"TRADEWIND_EVENTS"} | set(VARIABLE.findall(read("test")))
    program.check_line(name, ["serve"], set(VARIABLE.findall(text)) - others)


def check_folders():
    """Every file of a kustomization's folder is named in it; kustomize itself looks for those named and missing."""
    for kustomization in sorted(pathlib.Path("k8s").rglob("kustomization.yaml")):
        named = set(yaml.safe_load(kustomization.read_text())["resources"])
        there = {path.name for path in kustomization.parent.glob("*.y*ml")} - {"kustomization.yaml"}
        for name in sorted(there - named):
            wrong(kustomization, f"does not name {name}")


def matches(selector, labels):
    expressions = [(e["key"], e["values"]) for e in selector.get("matchExpressions", [])]
    pairs = selector.get("matchLabels", {}) if "matchLabels" in selector or expressions else selector
    return all(labels.get(k) == v for k, v in pairs.items()) and all(labels.get(k) in v for k, v in expressions)


def check_objects(program, objects):
    by = {(o["kind"], o["metadata"]["name"]): o for o in objects}
    pods = {n: o["spec"]["template"] for (kind, n), o in by.items() if kind in ("Deployment", "Job")}
    for name, pod in pods.items():
        check_pod(program, by, name, pod["spec"])
    for (kind, name), its in by.items():
        where = f"k8s: {kind} {name}"
        spec = its.get("spec", {})
        selector = {"Service": "selector", "PodDisruptionBudget": "selector", "NetworkPolicy": "podSelector"}.get(kind)
        chosen = [p for p in pods.values() if selector and matches(spec[selector], p["metadata"]["labels"])]
        if selector and not chosen:
            wrong(where, "its selector matches no pod")
        if kind == "Deployment" and not matches(spec["selector"], pods[name]["metadata"]["labels"]):
            wrong(where, "its selector does not match its own pods")
        if kind == "HorizontalPodAutoscaler":
            target = spec["scaleTargetRef"]
            scaled = by.get((target["kind"], target["name"]))
            if scaled is None or "replicas" in scaled["spec"]:
                wrong(where, "its target is not there, or has a number of its own")
        for port in spec.get("ports", []) if kind == "Service" else []:
            names = {p["name"] for pod in chosen for c in pod["spec"]["containers"] for p in c.get("ports", [])}
            if port["targetPort"] not in names:
                wrong(where, f"no pod has a port {port['targetPort']}")


def check_pod(program, by, name, spec):
    where = f"k8s: {name}"
    for container in spec["containers"]:
        given = {}
        for source in container.get("envFrom", []):
            kind, reference = ("Secret", source.get("secretRef")) if "secretRef" in source else ("ConfigMap", source["configMapRef"])
            given |= (by.get((kind, reference["name"])) or wrong(where, f"no {kind} {reference['name']}") or {}).get("data", {})
        for entry in container.get("env", []):
            reference = entry["valueFrom"]["secretKeyRef"]
            if reference["key"] not in by.get(("Secret", reference["name"]), {}).get("data", {}):
                wrong(where, f"no {reference['key']} in a Secret {reference['name']}")
            given[entry["name"]] = None
        program.check_line(where, container["args"], given)
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            if ports and container.get(probe, {}).get("httpGet", {}).get("port") not in ports:
                wrong(where, f"{probe} asks at no port of its container")
        if stop_takes(given) >= spec.get("terminationGracePeriodSeconds", 30):
            wrong(where, "terminationGracePeriodSeconds is not above the time that a stop may take")


def check_alerts(program):
    rules = [r for g in yaml.safe_load(read("deploy/prometheus/rules.yml"))["groups"] for r in g["rules"]]
    shown = read("deploy/prometheus/rules.test.yml")
    measured = program.metrics()
    for rule in rules:
        where = f"deploy/prometheus/rules.yml: {rule['alert']}"
        if f'alertname="{rule["alert"]}"' not in shown:
            wrong(where, "rules.test.yml does not show it fire")
        for metric in re.findall(r"tradewind_[a-z_]+", rule["expr"]):
            if not {metric, re.sub(r"_(total|bucket|sum|count)$", "", metric)} & measured:
                wrong(where, f"the server measures no {metric}")


def main(command, *arguments):
    if command == "without-discovery":
        config = yaml.safe_load(read(arguments[0]))
        for job in config["scrape_configs"]:
            job.pop("kubernetes_sd_configs")
        return print(yaml.safe_dump(config))
    program = Program(arguments[0])
    check_dockerfile(program)
    check_compose(program)
    check_manual(program)
    check_folders()
    check_objects(program, [o for o in yaml.safe_load_all(read(arguments[1])) if o])
    check_alerts(program)
    for line in found:
        print(line, file=sys.stderr)
    sys.exit(1 if found else 0)


main(*sys.argv[1:])
