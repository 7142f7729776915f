#!/usr/bin/env python3
"""Tries each client on each misbehaviour and prints docs/clients.md.

`Clients/table.py NAME…` tries these alone anew, and takes the rest from the last time."""
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "Clients/.build"
DEBUG = ROOT / ".build/debug"
URL = "{url}/echo?msg=Hello"
JARS = ":".join(f"/usr/share/java/jackson-{part}.jar" for part in ("core", "databind", "annotations"))


def output(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return (result.stdout + result.stderr).strip()


def package(name):
    return output(BUILD / "venv/bin/python", "-c", f"import {name}; print({name}.__version__)")


def pinned(name):
    state = json.loads((BUILD / "workspace-state.json").read_text())
    for dependency in state["object"]["dependencies"]:
        if dependency["packageRef"]["identity"] == name:
            return dependency["state"]["checkoutState"]["version"]


# What it is, its version, how it is run, and what its documentation says of the limit of time.
CLIENTS = {
    "Service B": (
        lambda: output(DEBUG / "service-b", "--version"), None,
        "one total deadline, `--timeout 1s`, and a limit of memory for an answer"),
    "curl": (
        lambda: output("curl", "--version").split()[1] + " and " + output("jq", "--version"),
        [ROOT / "Clients/curl.sh", URL],
        "`--max-time` limits the whole transfer; `--fail` is about statuses from 400 on; the content is "
        "passed on as it is, here to jq"),
    "requests": (
        lambda: package("requests"), [BUILD / "venv/bin/python", ROOT / "Clients/requests_client.py", URL],
        "`timeout` is, in its words, *not* a limit for the whole download, but for the time between bytes; "
        "`raise_for_status` is about statuses from 400 on"),
    "httpx": (
        lambda: package("httpx"), [BUILD / "venv/bin/python", ROOT / "Clients/httpx_client.py", URL],
        "`timeout` is of network inactivity; `raise_for_status` is about all but 2xx"),
    "aiohttp": (
        lambda: package("aiohttp"), [BUILD / "venv/bin/python", ROOT / "Clients/aiohttp_client.py", URL],
        "`ClientTimeout(total=…)` limits the whole, with the reading of the body"),
    "Go": (
        lambda: output("go", "version").split()[2], [BUILD / "go-client", URL],
        "`Client.Timeout` includes redirects and the reading of the body; `json.Decoder` reads one JSON "
        "text of a stream, and does not look what follows"),
    "node": (
        lambda: output("node", "--version"), ["node", ROOT / "Clients/client.mjs", URL],
        "the signal of `AbortSignal.timeout` aborts `fetch` and the reading of the body; `ok` is 200–299"),
    "Java": (
        lambda: re.search('"(.*)"', output("java", "-version"))[1],
        ["java", "-cp", f"{BUILD / 'java'}:{JARS}", "Client", URL],
        "`HttpRequest.timeout` is for the response to be received; in this version that is its header "
        "section"),
    "AsyncHTTPClient": (
        lambda: pinned("async-http-client"), [BUILD / "debug/AsyncHTTPClientClient", URL],
        "`timeout` of `execute` is for the whole request; `collect(upTo:)` limits the body"),
    "URLSession": (
        lambda: re.search(r"Swift version (\S+)", output("swift", "--version"))[1],
        [BUILD / "debug/URLSessionClient", URL],
        "`timeoutIntervalForRequest` is for the time between data, `timeoutIntervalForResource` for the "
        "whole; on Linux the second has no effect"),
}

WORDS = {
    "answered": "answer", "failed in time": "fails", "refused a valid answer": "*refuses*",
    "late": "**late**", "crashed": "**crash**", "wrong: took it for an answer": "**wrong**",
    "grew": "**grew**", "stuck: takes no right answer any more": "**stuck**",
}


def trial(name, command):
    """Tries a client, and keeps what comes of it."""
    misbehave = [DEBUG / "misbehave", "try", "--timeout", "1s", "--json"]
    print(name, file=sys.stderr)
    if command is None:
        service = subprocess.Popen(
            [DEBUG / "service-b", "--host", "127.0.0.1", "--port", "28581", "--timeout", "1s",
             "--service-a-url", "http://127.0.0.1:28580"], stdout=subprocess.PIPE, text=True)
        try:
            for line in service.stdout:
                if "listening" in line:
                    break
            # Or else the pipe would fill.
            subprocess.Popen(["cat"], stdin=service.stdout, stdout=subprocess.DEVNULL)
            result = subprocess.run(
                misbehave + ["--port", "28580", "--pid", str(service.pid), "--service",
                             "http://127.0.0.1:28581/call-echo?msg=Hello"], stdout=subprocess.PIPE)
        finally:
            service.kill()
            service.wait()
    else:
        environment = os.environ | {"SWIFT_BACKTRACE": "enable=no"}
        result = subprocess.run(
            misbehave + ["--"] + command, stdout=subprocess.PIPE, env=environment)
    if result.returncode not in (0, 1):
        sys.exit(f"{name} cannot be tried")
    (BUILD / f"{name}.json").write_bytes(result.stdout)


def main():
    for name, (_, command, _) in CLIENTS.items():
        kept = (BUILD / f"{name}.json").exists()
        if name in sys.argv[1:] or len(sys.argv) == 1 or not kept:
            trial(name, command)
    columns = {name: json.loads((BUILD / f"{name}.json").read_text()) for name in CLIENTS}
    rows = next(iter(columns.values()))
    print((ROOT / "Clients/intro.md").read_text().format(
        date=datetime.date.today(), count=len(rows)))
    print("| client | version | what its documentation says of the limits that are set |\n|---|---|---|")
    for name, (version, _, promise) in CLIENTS.items():
        print(f"| {name} | {version()} | {promise} |")
    print("\n## Totals\n")
    print(f"| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for verdict, word in WORDS.items():
        counts = [sum(line["verdict"] == verdict for line in lines) for lines in columns.values()]
        if any(counts):
            print(f"| {word} | {' | '.join(map(str, counts))} |")
    print("\n## All\n")
    print(f"| the server … | a good client | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for number, row in enumerate(rows):
        words = [WORDS[lines[number]["verdict"]] for lines in columns.values()]
        print(f"| {row['does']} (`{row['name']}`) | {row['expected']}, {row['section']} | "
              f"{' | '.join(words)} |")


main()
