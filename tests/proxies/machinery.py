"""A hub, nginx and HAProxy as child processes on loopback, as the examples configure them."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("AGENTCOM_BINARY", str(REPOSITORY / "build/release/agentcom"))
EXAMPLES = REPOSITORY / "examples/proxy"
PATIENCE_S = 30
NOBODY = 65534


def _as_nobody() -> dict:
    """Proxies need no rights here; root gives its own up."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def changed(text: str, *changes: tuple[str, str]) -> str:
    """An example for this machine. A change that finds nothing to change is an error."""
    for old, new in changes:
        if old not in text:
            raise AssertionError(f"the example has no {old!r}")
        text = text.replace(old, new)
    return text


class Directory:
    """Of one test run, with certificates for the names in the examples; open to proxies."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="agentcom-proxies-"))
        self.path.chmod(0o755)
        (self.path / "certs").mkdir()
        for name in ("hub.example.com", "www.example.com"):
            key, certificate = self.path / f"{name}.key", self.path / f"{name}.pem"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                 "-keyout", key, "-out", certificate],
                check=True, stderr=subprocess.DEVNULL)
            key.chmod(0o644)
            (self.path / "certs" / f"{name}.pem").write_text(certificate.read_text() + key.read_text())
        self.authorities = self.path / "authorities.pem"
        self.authorities.write_text("".join(
            (self.path / f"{name}.pem").read_text() for name in ("hub.example.com", "www.example.com")))

    def of_nobody(self, name: str) -> Path:
        made = self.path / name
        made.mkdir()
        if os.getuid() == 0:
            os.chown(made, NOBODY, NOBODY)
        return made

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


class Hub:
    """The hub with the settings that the examples ask for."""

    def __init__(self, directory: Path, configuration: str) -> None:
        file = directory / "agentcom.toml"
        file.write_text(configuration)
        data = directory / "data"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTCOM_")}
        self._process = subprocess.Popen(
            [BINARY, "serve", "--config", file, "--port", "0", "--data-dir", data],
            stderr=subprocess.PIPE, text=True, env=environment)
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        line = self.wait_for_line(r"listening on http://127\.0\.0\.1:(\d+)")
        self.port = int(line[1])
        self.admin_token = (data / "admin_token").read_text().strip()

    def _read(self) -> None:
        with self._process.stderr as log:
            for line in log:
                with self._news:
                    self._lines.append(line)
                    self._news.notify_all()

    def wait_for_line(self, pattern: str) -> re.Match:
        """The first line of the log in which the pattern is found."""
        def search() -> re.Match | None:
            return next((found for line in self._lines if (found := re.search(pattern, line))), None)

        with self._news:
            found = self._news.wait_for(search, PATIENCE_S)
            if found is None:
                raise AssertionError(f"no {pattern} in the log:\n{''.join(self._lines)}")
            return found

    def end(self) -> int:
        self._process.terminate()
        status = self._process.wait(PATIENCE_S)
        self._reader.join()
        return status


class Relay:
    """Stands between a proxy and the hub, and knows which of them has ended a connection."""

    def __init__(self, hub_port: int) -> None:
        self._hub_port = hub_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._news = threading.Condition()
        self._open = 0
        self._ended_by: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                proxy, _ = self._listener.accept()
            except OSError:
                return
            hub = socket.create_connection(("127.0.0.1", self._hub_port))
            with self._news:
                self._open += 1
            first: list[str] = []
            for name, source, target in (("the proxy", proxy, hub), ("the hub", hub, proxy)):
                threading.Thread(target=self._pass_on, args=[name, source, target, first], daemon=True).start()

    def _pass_on(self, name: str, source: socket.socket, target: socket.socket, first: list[str]) -> None:
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
        except OSError:
            pass
        with self._news:
            first.append(name)
            if len(first) == 2:
                source.close()
                target.close()
                return
            self._open -= 1
            self._ended_by.append(name)
            self._news.notify_all()
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait_until_idle(self) -> list[str]:
        """Who has ended each connection, once none is open any more."""
        with self._news:
            if not self._news.wait_for(lambda: self._open == 0, PATIENCE_S):
                raise AssertionError("connections to the hub are never ended")
            return list(self._ended_by)

    def forget(self) -> None:
        with self._news:
            self._ended_by.clear()

    def end(self) -> None:
        self._listener.close()


class Proxy:
    """A proxy with its example's configuration, at `port`."""

    def __init__(self, command: list[str], port: int, directory: Path) -> None:
        self.port = port
        self._log = open(directory / "output", "wb")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, **_as_nobody())
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.end()
                    raise AssertionError((directory / "output").read_text()) from None
                time.sleep(0.01)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._log.close()


def nginx(directory: Directory, relay_port: int, _hub_port: int) -> Proxy:
    port = free_port()
    own = directory.of_nobody("nginx")
    (own / "agentcom.conf").write_text(changed(
        (EXAMPLES / "nginx.conf").read_text(),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("server 127.0.0.1:4000;", f"server 127.0.0.1:{relay_port};"),
        ("/etc/ssl/certs/", f"{directory.path}/"),
        ("/etc/ssl/private/", f"{directory.path}/"),
        # A minute is long for a test; that the hub's time is longer than the one written here is another.
        ("keepalive_timeout 60s;", "keepalive_timeout 1s;")))
    temporary = "\n".join(f"{kind}_temp_path {own}/{kind};"
                          for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (own / "nginx.conf").write_text(
        f"daemon off;\npid {own}/pid;\nworker_processes 1;\nevents {{ worker_connections 256; }}\n"
        f"http {{\naccess_log off;\n{temporary}\ninclude {own}/agentcom.conf;\n}}\n")
    return Proxy(["/usr/sbin/nginx", "-e", f"{own}/error.log", "-p", str(own), "-c", f"{own}/nginx.conf"], port, own)


def haproxy(directory: Directory, relay_port: int, hub_port: int) -> Proxy:
    port = free_port()
    own = directory.of_nobody("haproxy")
    (own / "haproxy.cfg").write_text(changed(
        (EXAMPLES / "haproxy.cfg").read_text(),
        ("bind :443", f"bind 127.0.0.1:{port}"),
        # Its checks need not be looked at; the hub answers them and closes, as they want it.
        ("server hub 127.0.0.1:4000 check", f"server hub 127.0.0.1:{relay_port} check port {hub_port}"),
        ("/etc/haproxy/certs/", f"{directory.path}/certs/"),
        # What only root may, and where nobody listens.
        ("    chroot /var/lib/haproxy\n    user haproxy\n    group haproxy\n", ""),
        ("    log /dev/log local0\n", "    log stderr format raw local0\n"),
        ("maxconn 20000", "maxconn 200"),
        ("pool-purge-delay 5s", "pool-purge-delay 1s")))
    return Proxy(["/usr/sbin/haproxy", "-db", "-f", f"{own}/haproxy.cfg"], port, own)
