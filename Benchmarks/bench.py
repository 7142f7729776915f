#!/usr/bin/env python3
"""Measures both services beside others of their kind; `make bench` builds all of them first.

Writes results.md and results.svg beside this file. With --quick: one short round, to see whether
everything works, and the files go to .build.
"""

import contextlib
import datetime
import http.client
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD, SOURCES = HERE / ".build", HERE / "Sources"
RELEASE = BUILD / "release"
# As in the images: Service A is linked statically, Service B cannot be.
PROGRAMS = {
    "service-a": HERE.parent / ".build-static/release/service-a",
    "service-b": HERE.parent / ".build/release/service-b"}
PYTHON, GO = BUILD / "venv/bin/python", BUILD / "go-services"
QUICK = "--quick" in sys.argv[1:]
ROUNDS, SHORT_ROUNDS, SECONDS = (1, 1, 1) if QUICK else (5, 3, 2)
MESSAGE, LOOPBACK, BEGIN = "HelloDistributed", "127.0.0.1", time.monotonic()
RATE, CPU = "requests/s", "CPU µs/request"


@dataclass
class Row:
    """What is measured: how it is started, and which path of it."""

    name: str
    command: list
    path: str = "/echo"

    def answer(self, message):
        return {
            "/echo": {"echo": message},
            "/call-echo": {
                "service_a_response": {"echo": message},
                "service_b_message": "Service B called A successfully"},
            "/health": {"status": "ok"},
        }[self.path]


def service(name, *options):
    return [PROGRAMS[name], "--host", LOOPBACK, "--port", "{port}", *options]


TO_A = ["--log-level", "warning", "--service-a-url", "{upstream}"]
LOOP = [RELEASE / "URLSessionLoop", "{url}", "{body}", "{seconds}", "{connections}"]
C = Row("C, libmicrohttpd", [BUILD / "baseline", "{port}"])  # match_baseline() adds header fields.
A = Row("service-a", service("service-a", "--threads", "1", "--log-level", "warning"))
A2 = Row("service-a, 2 threads", service("service-a", "--threads", "2", "--log-level", "warning"))
B = Row("service-b", service("service-b", *TO_A), "/call-echo")
URLSESSION = Row("URLSession alone, fixed", ["env", f"LD_PRELOAD={BUILD / 'fixes.so'}", *LOOP])
LOOPS = [URLSESSION, Row("URLSession alone, stock", LOOP)]
ECHO = [
    C,
    A,
    Row("service-a, info to a file", service("service-a", "--threads", "1")),
    A2,
    Row("Hummingbird", [RELEASE / "HummingbirdEcho", "{port}"]),
    Row("FlyingFox", [RELEASE / "FlyingFoxEcho", "{port}"]),
    Row("Go net/http", [GO, "{port}"]),
    Row("Flask", [PYTHON, SOURCES / "Flask/echo.py", "{port}"]),
]
HUMMINGBIRD = Row(
    "Hummingbird, AsyncHTTPClient", [RELEASE / "HummingbirdCall", "{port}", "{upstream}"],
    "/call-echo")
CALL = [
    B,
    HUMMINGBIRD,
    Row("Go net/http and its client", [GO, "{port}", "{upstream}"], "/call-echo"),
    Row("Flask, requests", [PYTHON, SOURCES / "Flask/call.py", "{port}", "{upstream}"],
        "/call-echo"),
]


class Wrong(Exception):
    """An answer was not as it must be, or there was none."""


refused = []  # what is not shown because of that


def progress(text):
    print(f"{time.monotonic() - BEGIN:5.0f} s  {text}", file=sys.stderr, flush=True)


def run(*command, timeout=60):
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=timeout).stdout


def memory(pid, name):
    """A figure of /proc/PID/status, in bytes."""
    text = Path(f"/proc/{pid}/status").read_text()
    if found := re.search(rf"{name}:\s+(\d+) kB", text):
        return int(found[1]) * 1024
    raise Wrong("the process has ended")


class Server:
    """The process of a row, from before its first answer to the end of its `with`."""

    def __init__(self, row, upstream=None):
        with socket.create_server((LOOPBACK, 0)) as free:
            self.port = free.getsockname()[1]
        self.row, self.origin = row, f"http://{LOOPBACK}:{self.port}"
        self.command = [str(part).format(port=self.port, upstream=upstream) for part in row.command]

    def __enter__(self):
        log = BUILD / f"{self.row.name.replace('/', ' ')}.log"
        with log.open("wb") as output:
            start = time.monotonic()
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output)
        self.pid = self.process.pid
        try:
            while True:
                with contextlib.suppress(ConnectionRefusedError):
                    self.check()
                    break
                if self.process.poll() is not None or time.monotonic() > start + 20:
                    raise Wrong(f"does not start: {log.read_text()[-500:]}")
                time.sleep(0.0005)
        except BaseException:
            self.__exit__()
            raise
        self.seconds_to_start = time.monotonic() - start
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def target(self, message=MESSAGE):
        return f"{self.row.path}?msg={message}"

    def get(self, message=MESSAGE):
        """An answer, and the connection."""
        client = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        client.request("GET", self.target(message))
        response = client.getresponse()
        return response.status, response.read().decode(), client

    def check(self, message=MESSAGE):
        """The body of an answer, which must be right."""
        status, body, client = self.get(message)
        client.close()
        if status != 200 or json.loads(body) != self.row.answer(message):
            raise Wrong(f"{status} {body[:200]!r}")
        return body

    def cpu(self):
        """Seconds of processor time, user and system, of all threads there are or were."""
        return time.clock_gettime(~self.pid << 3 | 2)  # CPUCLOCK_SCHED of the process


def figures(result, cpu, pid):
    if result["wrong"] or not result["requests"]:
        raise Wrong(f"{result['wrong']} wrong answers, {result['requests']} in all")
    return {
        RATE: result["requests"] / result["seconds"], CPU: cpu / result["requests"] * 1e6,
        "p50 ms": result["p50"] / 1e3, "p99 ms": result["p99"] / 1e3,
        "peak RSS MB": memory(pid, "VmHWM") / 1e6}


def load(server, seconds, connections, message):
    """What wrk measures, which checks every answer as well."""
    body = server.check(message)
    before = server.cpu()
    output = run("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", SOURCES / "check.lua",
                 server.origin + server.target(message), "--", body)
    cpu = server.cpu() - before
    if server.check(message) != body:
        raise Wrong("another body after the round than before")
    return figures(json.loads(re.search("^JSON (.*)", output, re.M)[1]), cpu, server.pid)


def measure(row, connections=64, message=MESSAGE, upstream=None):
    with Server(row, upstream) as server:
        load(server, 1, connections, message)  # to warm up
        return load(server, SECONDS, connections, message)


def measure_call(row, connections=64):
    with Server(A) as a:
        if row not in LOOPS:
            return measure(row, connections, upstream=a.origin)
        values = {"url": a.origin + a.target(), "body": a.check(), "seconds": SECONDS}
        command = [str(part).format(connections=connections, **values) for part in row.command]
        loop = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            result = json.loads(loop.stdout.readline())
            return figures(result, result["cpu"], loop.pid)
        finally:
            loop.kill()
            loop.communicate()


def measure_latency(row):
    """At 200 requests a second, over 8 connections, whether or not there are answers."""
    with Server(A) as a, Server(row, a.origin) as server:
        output = run(BUILD / "openloop", str(server.port), server.target(), server.check(), "200",
                     "1" if QUICK else "5", "8")
    result = json.loads(output)
    return {f"{key} ms": result[key] / 1e3 for key in ("p50", "p99", "max")}


def memory_per(count, server, begin):
    """KB that each of `count` results of `begin` takes while it lives, after a first one."""
    kept = [begin()]
    before = memory(server.pid, "VmRSS")
    kept += [begin() for _ in range(count)]
    return (memory(server.pid, "VmRSS") - before) / count / 1e3


def memory_per_suspended_call():
    row = Row("service-b, silent peer", [*B.command, "--timeout", "60s"], "/health")
    with socket.create_server((LOOPBACK, 0), backlog=1024) as silent:
        silent.settimeout(10)
        with Server(row, f"http://{LOOPBACK}:{silent.getsockname()[1]}") as server:
            def call():
                client = socket.create_connection((LOOPBACK, server.port))
                client.sendall(b"GET /call-echo?msg=hi HTTP/1.1\r\nHost: localhost\r\n\r\n")
                peer = silent.accept()[0]
                peer.recv(4096)  # The call has been made.
                return client, peer

            return memory_per(500, server, call)


def measure_footprint(row):
    size = None
    if row.command[0] != PYTHON:
        run("strip", "-o", BUILD / "stripped", row.command[0])
        size = (BUILD / "stripped").stat().st_size / 1e6
    with Server(A) as a, Server(row, a.origin) as server:
        time.sleep(0.3)
        idle = memory(server.pid, "VmRSS") / 1e6
        keeps = server.get()[2].sock is not None
        return {
            "exec to first answer ms": server.seconds_to_start * 1e3, "RSS idle MB": idle,
            "KB per idle connection": memory_per(1000, server, server.get) if keeps else None,
            "KB per suspended call": memory_per_suspended_call() if row is B else None,
            "stripped binary MB": size}


def interleaved(title, rounds, cases):
    """The figures of all rounds of every case, the cases taking turns."""
    results = {name: [] for name in cases}
    for turn in range(rounds):
        for name in list(results):
            try:
                result = cases[name]()
            except (Wrong, OSError, ValueError, http.client.HTTPException,
                    subprocess.SubprocessError) as error:
                del results[name]
                refused.append(f"Not shown: {title}, {name}: {error}")
                progress(refused[-1])
            else:
                results[name].append(result)
                text = ", ".join(f"{key} {show(value)}" for key, value in result.items())
                progress(f"{title} {turn + 1}/{rounds}, {name}: {text}")
    return results


def show(value):
    if value is None:
        return "–"
    return f"{value:,.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


def median(rounds, key):
    values = [figures[key] for figures in rounds]
    return None if None in values else statistics.median(values)


def ratio(rounds, limit, key):
    """The median of the ratios within the rounds, since a machine changes from round to round."""
    return statistics.median(r[key] / l[key] for r, l in zip(rounds, limit))


def table(header, rows):
    """A table of Markdown that can be read as it is; its first column is text."""
    cells = [header, *([name, *map(show, values)] for name, *values in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    rule = ["-" * widths[0], *((width - 1) * "-" + ":" for width in widths[1:])]
    lines = [[name.ljust(widths[0]), *map(str.rjust, values, widths[1:])]
             for name, *values in cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def comparison(results, limit=None):
    """A table of medians, with ratios to the row `limit`."""
    if not results or limit and limit not in results:
        return "Not shown."
    header, rows = [""], [[name] for name in results]
    for key in next(iter(results.values()))[0]:
        header.append(key)
        for row, rounds in zip(rows, results.values()):
            row.append(median(rounds, key))
        if limit and key in (RATE, CPU):
            header.append("×")
            for row, rounds in zip(rows, results.values()):
                row.append(ratio(rounds, results[limit], key))
    return table(header, rows)


def growth(first, second, measure, loads):
    """A table of two rows under several loads."""
    results = interleaved("growth", SHORT_ROUNDS, {
        f"{row.name}, {name}": partial(measure, row, *load)
        for name, load in loads.items() for row in (first, second)})
    rows = []
    for name in loads:
        one, two = (results.get(f"{row.name}, {name}") for row in (first, second))
        if one and two:
            rows.append([name, *(
                value for key in (RATE, CPU)
                for value in (median(one, key), median(two, key), ratio(two, one, key)))])
    return table(["", f"{first.name}: {RATE}", second.name, "×", f"{first.name}: {CPU}",
                  second.name, "×"], rows)


def connections(*counts):
    return {f"connections: {n}": (n,) for n in counts}


def images():
    """The sizes of the images that `docker compose build` has made; it takes too long to do here."""
    docker = ["docker", "compose", "--project-directory", HERE.parent]
    try:
        names = run(*docker, "config", "--images").split()
        sizes = run("docker", "image", "inspect", "--format", "{{.Size}}", *names).split()
    except (OSError, subprocess.SubprocessError):
        return "Container images: skipped, since no Docker engine has them."
    return "Container images, as built last: " + ", ".join(
        f"{name} {int(size) / 1e6:.0f} MB" for name, size in zip(names, sizes)) + "."


def match_baseline():
    """Has the C server send the header fields of service-a, and compares an answer of each."""
    def answer(server):
        with socket.create_connection((LOOPBACK, server.port), timeout=10) as connection:
            connection.sendall(f"GET {server.target()} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            text = connection.recv(65536).decode()  # Both send it in one piece.
        return text, re.sub(r"(?m)^(Date|X-Request-Id|Traceparent): .*\r$", r"\1", text)

    with Server(A) as a:
        text, expected = answer(a)
    for name, value in re.findall(r"(?m)^([^:\s]+): (.*)\r$", text):
        if name not in ("Date", "Content-Length"):
            C.command += [name, value]
    with Server(C) as c:
        if answer(c)[1] != expected:
            raise SystemExit(f"the C server answers {answer(c)[0]!r} and service-a {text!r}")
    progress("the C server answers as service-a does, byte for byte but for ids and the date")


def machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    pins = json.loads((HERE / "Package.resolved").read_text())["pins"]
    packages = {pin["identity"]: pin["state"].get("version") for pin in pins}
    modules = "from importlib.metadata import version as v; print(v('flask'), v('requests'))"
    flask, requests = run(PYTHON, "-c", modules).split()
    versions = {
        "Swift": re.search(r"Swift version (\S+)", run("swift", "--version"))[1],
        "libmicrohttpd": run("pkg-config", "--modversion", "libmicrohttpd").strip(),
        "Hummingbird": packages["hummingbird"], "FlyingFox": packages["flyingfox"],
        "AsyncHTTPClient": packages["async-http-client"],
        "Go": run("go", "version").split()[2] if GO.exists() else "not installed, so left out",
        "Python": sys.version.split()[0], "Flask": flask, "requests": requests}
    return (f"{datetime.date.today()}, {os.cpu_count()} cores of {model[1] if model else 'a CPU'}, "
            f"Linux {os.uname().release}; "
            + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".")


def chart(charts):
    """An SVG of bars: requests a second, and beside it the processor time of one."""
    parts, y = [], 0
    for title, results in charts.items():
        y += 40
        parts.append(f'<text x="20" y="{y}" class="title">{title}</text>')
        most = max((median(rounds, RATE) for rounds in results.values()), default=1)
        for name, rounds in results.items():
            y += 26
            rate, kind = median(rounds, RATE), "ours" if "service-" in name else "other"
            width = max(1, round(330 * rate / most))
            parts.append(
                f'<text x="235" y="{y}" text-anchor="end">{name}</text>'
                f'<rect x="245" y="{y - 14}" width="{width}" height="18" class="{kind}"/>'
                f'<text x="{252 + width}" y="{y}">{rate:,.0f}'
                f'<tspan class="cpu"> · {show(median(rounds, CPU))} µs</tspan></text>')
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {y + 24}" font-size="13" '
        'font-family="system-ui, sans-serif" role="img" aria-label="Requests per second">',
        "<style>text{fill:#24292f}.title{font-weight:600;font-size:14px}.cpu{fill:#6e7781}"
        ".ours{fill:#f05138}.other{fill:#afb8c1}</style>",
        f'<rect width="760" height="{y + 24}" rx="6" fill="#fff"/>', *parts, "</svg>\n"])


NOTES = f"""\
Medians of {ROUNDS} rounds ({SHORT_ROUNDS} below the first two tables) in which the rows take turns,
each in a new process that has had a second of load before. × is the median within a round of the
ratios to C, and for Service B to Hummingbird. service-a has one thread, as C has, and is linked
statically, as in its image. CPU and RSS are those of the measured process alone, which shares the
cores with wrk and, where it is a Service B, with the service-a that it calls. Every answer is
checked, its status and its body; a row with a wrong one is not shown. wrk sends nothing while it
waits for an answer, so its p50 and p99 leave out what would have had to wait as well; the latency
at a fixed rate counts from when a request was due. FlyingFox sends header and body apart without
TCP_NODELAY, which has each answer wait 40 ms for an acknowledgement. Flask closes every
connection."""


def main():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if not GO.exists():
        progress("no `go` is installed: its rows are skipped")
    echo_rows, call_rows = ([row for row in rows if GO not in row.command or GO.exists()]
                            for rows in (ECHO, CALL))
    about = machine()
    match_baseline()
    echo = interleaved("A", ROUNDS, {row.name: partial(measure, row) for row in echo_rows})
    call = interleaved(
        "B", ROUNDS, {row.name: partial(measure_call, row) for row in call_rows + LOOPS})
    latency = interleaved(
        "latency", SHORT_ROUNDS, {row.name: partial(measure_latency, row) for row in (A, B)})
    if len(latency) == 2:
        latency["what service-b adds"] = [
            {key: b[key] - a[key] for key in a} for a, b in zip(*latency.values())]
    sections = {
        "What the services cost": f"{about}\n\n{NOTES}",
        "Service A, 64 connections": comparison(echo, C.name),
        "Service B, 64 connections": comparison(call, HUMMINGBIRD.name),
        "Latency at 200 requests a second": comparison(latency),
        "Service A as work grows (messages over 64 connections)": growth(
            C, A, measure, connections(1, 16, 64, 256, 1024) | {
                f"bytes of message: {n}": (64, n * "x") for n in (10, 1024, 4096)}),
        "Service B as work grows": growth(HUMMINGBIRD, B, measure_call, connections(1, 8, 64)),
        "Start and footprint": comparison(interleaved(
            "footprint", SHORT_ROUNDS,
            {row.name: partial(measure_footprint, row) for row in echo_rows + call_rows})),
    }
    text = "\n\n".join([f"## {title}\n\n{body}" for title, body in sections.items()]
                       + [images(), *refused])[1:] + "\n"
    place = BUILD if QUICK else HERE
    (place / "results.md").write_text(text)
    (place / "results.svg").write_text(chart({
        "Service A: requests per second, and CPU time of each": echo,
        "Service B: requests per second, and CPU time of each": call}))
    print(text)
    progress(f"results.md and results.svg are in {place.relative_to(HERE.parent)}")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
