"""Runs moto's own SQS tests against a server on port 5000 and holds them to the list of those that differ.

    moto_run.py FOLDER LIST

FOLDER is moto's source distribution, unpacked. A test that fails and is not in LIST fails the run, and so does one that is in
LIST and passes. Files that need other services of AWS are not run; LIST says so too.
"""

import os
import sys

import botocore.client
import pytest

ACCOUNT = "123456789012"


class Outcomes:
    """What became of each test, by its id."""

    def __init__(self):
        self.failed, self.passed = {}, set()

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.removeprefix("tests/test_sqs/")
        if report.failed:
            text = str(report.longrepr).strip().splitlines()
            self.failed[name] = next((line for line in reversed(text) if line.startswith("E ")), text[-1] if text else "")
        elif report.when == "call" and report.passed:
            self.passed.add(name)


def answer_identity():
    """Some tests ask AWS's STS for the account's number, and there is no STS here."""
    call = botocore.client.BaseClient._make_api_call

    def answer(self, operation, parameters):
        return {"Account": ACCOUNT} if operation == "GetCallerIdentity" else call(self, operation, parameters)

    botocore.client.BaseClient._make_api_call = answer


def listed(path):
    """Tests and files of the list, each with the reason above it."""
    tests, files, reason = {}, {}, None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            if line.startswith("= "):
                reason = line[2:].strip()
                continue
            name = line.strip()
            if reason is None:
                sys.exit(f"moto_run: {name} has no reason")
            (tests if "::" in name else files)[name] = reason
    return tests, files


def main(folder, path):
    tests, files = listed(path)
    os.environ |= {
        "TEST_SERVER_MODE": "true",
        "TEST_SERVER_MODE_ENDPOINT": "http://localhost:5000",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.chdir(folder)
    sys.path.insert(0, folder)
    run = sorted(name for name in os.listdir("tests/test_sqs") if name.startswith("test_") and name not in files)
    outcomes = Outcomes()
    answer_identity()
    arguments = ["-q", "--tb=short", "--no-header", "-p", "no:cacheprovider", "--color=no", "--show-capture=no"]
    arguments += [f"tests/test_sqs/{name}" for name in run]
    with open(os.path.join(os.path.dirname(folder), "moto.log"), "w", encoding="utf-8") as log:
        sys.stdout, kept = log, sys.stdout
        try:
            pytest.main(arguments, plugins=[outcomes])
        finally:
            sys.stdout = kept
    if len(outcomes.passed) < 100:
        sys.exit(f"moto_run: only {len(outcomes.passed)} tests passed; see {log.name}")
    new = {name: why for name, why in outcomes.failed.items() if name not in tests}
    gone = sorted(name for name in tests if name not in outcomes.failed)
    for name, why in sorted(new.items()):
        print(f"moto_run: {name} fails, and is not in the list: {why}", file=sys.stderr)
    for name in gone:
        print(f"moto_run: {name} is in the list, and does not fail", file=sys.stderr)
    if new or gone:
        sys.exit(f"moto_run: see {log.name}")
    print(f"moto's tests: {len(outcomes.passed)} pass, {len(outcomes.failed)} differ as listed")


main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
