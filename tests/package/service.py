"""A service as systemd would run it, inside another root: its unit's own command lines, user,
directories, credentials, notification socket and filters of system calls. Of the sandbox the mounts are
missing."""

import os
import shlex
import socket
import subprocess
from pathlib import Path

import sandbox
from unit import Unit

PATIENCE_S = 60


class Service:
    """One run of the unit's service in `root`. Ends with the block that it is used in."""

    def __init__(self, root: Path, unit: Unit, credentials: dict[str, str] | None = None) -> None:
        self.root = root
        self.unit = unit
        self._process: subprocess.Popen | None = None
        self._filters = sandbox.filters(unit)
        users = (root / "etc/passwd").read_text().splitlines()
        user = next(line.split(":") for line in users if line.startswith(unit.one("User") + ":"))
        self._uid, self._gid = int(user[2]), int(user[3])
        state = unit.one("StateDirectory")
        directory = root / "var/lib" / state
        directory.mkdir(exist_ok=True)
        directory.chmod(int(unit.one("StateDirectoryMode"), 8))
        os.chown(directory, self._uid, self._gid)
        run = root / "run/service"
        run.mkdir(exist_ok=True)
        notify = run / "notify"
        notify.unlink(missing_ok=True)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.settimeout(PATIENCE_S)
        self._notify.bind(str(notify))
        notify.chmod(0o666)
        self._environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "STATE_DIRECTORY": f"/var/lib/{state}",
            "NOTIFY_SOCKET": "/run/service/notify",
            "WATCHDOG_USEC": str(int(unit.one("WatchdogSec")) * 1_000_000),
        }
        if credentials:
            given = run / "credentials"
            given.mkdir(exist_ok=True)
            for name, text in credentials.items():
                (given / name).write_text(text)
                os.chown(given / name, self._uid, self._gid)
            self._environment["CREDENTIALS_DIRECTORY"] = "/run/service/credentials"

    def _command(self, line: str) -> dict:
        def enter() -> None:
            os.chroot(self.root)
            os.chdir("/")
            os.setgroups([])
            os.setgid(self._gid)
            os.setuid(self._uid)
            for each in self._filters:
                each.load()

        return {
            "args": shlex.split(line),
            "env": self._environment,
            "umask": int(self.unit.one("UMask"), 8),
            "preexec_fn": enter,
        }

    def __enter__(self) -> "Service":
        try:
            for line in self.unit.all("ExecStartPre"):
                subprocess.run(**self._command(line), check=True, stderr=subprocess.PIPE)
            command = self._command(self.unit.one("ExecStart"))
            with open(self.root / "run/service/log", "wb") as log:
                self._process = subprocess.Popen(**command, stderr=log)
            self.wait_for("READY=1")
        except BaseException:
            self.__exit__()
            raise
        return self

    def status(self, name: str) -> str:
        """What the kernel says of the process."""
        lines = (Path("/proc") / str(self._process.pid) / "status").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith(name + ":")]
        return line.split(":")[1].strip()

    def wait_for(self, word: str) -> str:
        """The next notification with this word."""
        while True:
            try:
                said = self._notify.recv(4096).decode()
            except TimeoutError:
                raise AssertionError(f"no {word} in {PATIENCE_S} s; the log:\n{self.log()}") from None
            if word in said.split("\n"):
                return said

    def log(self) -> str:
        return (self.root / "run/service/log").read_text()

    def reload(self) -> None:
        (line,) = self.unit.all("ExecReload")
        line = line.replace("$MAINPID", str(self._process.pid))
        subprocess.run(["chroot", str(self.root), *shlex.split(line)], check=True)

    def stop(self) -> int:
        self._process.terminate()
        self.wait_for("STOPPING=1")
        return self._process.wait(timeout=PATIENCE_S)

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._notify.close()
