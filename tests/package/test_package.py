"""The Debian package: its form, its unit, and its life in a fresh Debian: installed, started by the
unit's command line, used, upgraded, removed and purged.

AGENTCOM_PACKAGE and AGENTCOM_OLDER_PACKAGE name the files, AGENTCOM_ROOT an archive with a Debian that
lacks nothing but the package. With that, to be run by root in name spaces of its own for mounts,
processes and the network, as `scripts/test package` does; without, only the form is looked at."""

import json
import os
import pty
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from service import Service
from unit import Unit

PACKAGE = Path(os.environ["AGENTCOM_PACKAGE"])
OLDER = Path(os.environ["AGENTCOM_OLDER_PACKAGE"])
ROOT = os.environ.get("AGENTCOM_ROOT")
BUILD = str(Path(__file__).resolve().parents[2] / "build/release")
UNIT = "lib/systemd/system/agentcom.service"
DATA = "/var/lib/agentcom"
MOST_EXPOSED = 2.0
TOKEN = "0123456789abcdef" * 4


def run(*command: str, **more) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, **more)
    if ran.returncode != 0:
        raise AssertionError(f"{command} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


class Machine:
    """A fresh Debian in a directory."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        # In memory: what dpkg syncs, it syncs a thousand times.
        run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", path)
        run("tar", "-xf", ROOT, "-C", path)
        for name, source in (("proc", "proc"), ("sys", "sysfs")):
            run("mount", "-t", source, source, str(self.path / name))
        run("mount", "--bind", "/dev", str(self.path / "dev"))

    def run(self, *command: str, **variables: str) -> str:
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
        return run("chroot", str(self.path), *command, env=environment | variables)

    def dpkg(self, *arguments: str) -> str:
        return self.run("dpkg", *arguments)

    def install(self, package: Path) -> None:
        shutil.copy(package, self.path / "tmp")
        self.dpkg("--install", f"/tmp/{package.name}")

    def service(self, credentials: dict[str, str] | None = None) -> Service:
        return Service(self.path, Unit((self.path / UNIT).read_text()), credentials)

    def has(self, path: str) -> bool:
        return os.path.lexists(self.path / path.lstrip("/"))

    def close(self) -> None:
        for name in ("dev", "sys", "proc", ""):
            run("umount", str(self.path / name))


class Form(unittest.TestCase):
    """What can be said of the package without installing it."""

    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        run("dpkg-deb", "--extract", str(PACKAGE), str(self.root))

    def test_lintian_finds_nothing(self) -> None:
        command = ["lintian", "--fail-on", "error,warning", "--tag-display-limit", "0", str(PACKAGE)]
        ran = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((ran.stdout, ran.returncode), ("", 0))

    def unit(self) -> str:
        """The unit's file, with the program where it can be found."""
        text = (self.root / UNIT).read_text()
        file = self.root / "agentcom.service"
        file.write_text(text.replace("/usr/bin/agentcom ", f"{self.root}/usr/bin/agentcom "))
        return str(file)

    def test_systemd_has_nothing_to_say_about_the_unit(self) -> None:
        self.assert_systemd_is_content(self.unit())

    def assert_systemd_is_content(self, file: str) -> None:
        ran = subprocess.run(["systemd-analyze", "verify", "--man=no", file], capture_output=True, text=True)
        # What it does not know it only names.
        self.assertEqual((ran.stdout, ran.stderr, ran.returncode), ("", "", 0))

    def test_the_service_is_exposed_to_little(self) -> None:
        ran = run("systemd-analyze", "security", "--offline=true", "--no-pager", self.unit())
        exposure = re.search(r"exposure level for agentcom.service: ([0-9.]+)", ran)
        self.assertLessEqual(float(exposure[1]), MOST_EXPOSED, ran)

    def test_what_is_installed_is_whole(self) -> None:
        for file in ("bash-completion/completions/agentcom", "zsh/vendor-completions/_agentcom",
                     "fish/vendor_completions.d/agentcom.fish", "man/man1/agentcom.1.gz",
                     "doc/agentcom/copyright", "doc/agentcom/changelog.gz",
                     "doc/agentcom/changelog.Debian.gz", "doc/agentcom/docs/operations.md"):
            self.assertGreater((self.root / "usr/share" / file).stat().st_size, 100, file)
        # Deflated as well as can be, and without a time that would differ.
        manual = (self.root / "usr/share/man/man1/agentcom.1.gz").read_bytes()
        self.assertEqual(manual[4:9], b"\0\0\0\0\x02")

    def assert_links_lead_somewhere(self, pages: Path) -> None:
        found = 0
        for page in pages.rglob("*.md"):
            for link in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
                if re.match(r"[a-z]+:", link):
                    continue
                to = self.root / link.lstrip("/") if link.startswith("/") else page.parent / link
                self.assertTrue(to.exists(), f"{page.relative_to(self.root)}: {link}")
                found += 1
        self.assertGreater(found, 100)

    def test_links_of_the_pages_lead_to_what_is_installed(self) -> None:
        self.assert_links_lead_somewhere(self.root / "usr/share/doc/agentcom")

    def test_another_prefix_is_as_good(self) -> None:
        prefix = self.root / "opt"
        run("cmake", "--install", BUILD, "--prefix", str(prefix))
        self.assert_links_lead_somewhere(prefix / "share/doc/agentcom")
        unit = self.root / "agentcom.service"
        shutil.copy(prefix / "lib/systemd/system/agentcom.service", unit)
        self.assertIn(f"ExecStart={prefix}/bin/agentcom serve ", unit.read_text())
        self.assert_systemd_is_content(str(unit))
        self.assertTrue((prefix / "share/doc/agentcom/examples/agentcom.toml").is_file())

    def test_the_configuration_changes_no_default(self) -> None:
        binary = str(self.root / "usr/bin/agentcom")
        clean = {"PATH": "/usr/bin:/bin"}
        installed = run(binary, "check", "--config", str(self.root / "etc/agentcom/agentcom.toml"), env=clean)
        self.assertEqual(installed, run(binary, "check", env=clean))


@unittest.skipUnless(ROOT, "there are no rights to change into another root")
class Life(unittest.TestCase):
    """What becomes of it on a machine."""

    def setUp(self) -> None:
        self.machine = Machine(self.enterContext(tempfile.TemporaryDirectory()))
        self.addCleanup(self.machine.close)

    def agentcom(self, *arguments: str, **variables: str) -> str:
        return self.machine.run("agentcom", *arguments, **variables)

    def token(self, agent: str) -> str:
        return self.agentcom("token", "create", agent, "--data-dir", DATA).split()[0]

    def mail(self, token: str) -> list:
        lines = self.agentcom("poll", "--json", AGENTCOM_TOKEN=token).splitlines()
        return [json.loads(line)["payload"]["text"] for line in lines]

    def test_from_an_older_version_to_the_purge(self) -> None:
        machine = self.machine
        machine.install(OLDER)
        self.assertTrue(machine.has("/etc/systemd/system/multi-user.target.wants/agentcom.service"))
        self.assertFalse(machine.has(DATA), "the service makes it")
        settings = machine.path / "etc/agentcom/agentcom.toml"
        text = settings.read_text().replace('#level = "info"', 'level = "debug"')
        settings.write_text(text)
        with machine.service() as hub:
            hub.wait_for("WATCHDOG=1")
            self.assertEqual(hub.status("Seccomp_filters"), "3")
            self.assertNotEqual(hub.status("Uid").split()[0], "0")
            bob, alice = self.token("bob"), self.token("alice")
            self.agentcom("send", "bob", "before the upgrade", AGENTCOM_TOKEN=alice)
            self.assertEqual(hub.stop(), 0, hub.log())
        mode = (machine.path / DATA.lstrip("/")).stat().st_mode
        self.assertEqual(mode & 0o777, 0o700)

        machine.install(PACKAGE)
        self.assertEqual(settings.read_text(), text, "what the administrator wrote stays")
        with machine.service() as hub:
            self.agentcom("send", "bob", "after it", AGENTCOM_TOKEN=alice)
            self.assertEqual(self.mail(bob), ["before the upgrade", "after it"])
            hub.reload()
            hub.wait_for("RELOADING=1")
            hub.wait_for("READY=1")
            self.assertEqual(hub.stop(), 0, hub.log())

        machine.dpkg("--remove", "agentcom")
        self.assertTrue(settings.exists())
        machine.dpkg("--purge", "agentcom")
        self.assertFalse(settings.exists())
        self.assertTrue(machine.has(f"{DATA}/data.mdb"), "nobody has said that it may go")

        machine.install(PACKAGE)
        with machine.service() as hub:
            self.assertEqual(self.mail(bob), ["before the upgrade", "after it"])
            self.assertEqual(hub.stop(), 0, hub.log())
        answer = "agentcom agentcom/purge-data boolean true"
        machine.run("sh", "-c", f"echo '{answer}' | debconf-set-selections")
        machine.dpkg("--purge", "agentcom")
        self.assertFalse(machine.has(DATA))
        # The user stays, and nothing else of it.
        self.assertNotIn("agentcom", machine.run("find", "/etc", "/usr", "/lib/systemd", "-name", "*agentcom*"))

    def purge_at_a_terminal(self, answer: str) -> str:
        """What is on the screen after it."""
        terminal, inside = pty.openpty()
        command = ["chroot", str(self.machine.path), "dpkg", "--purge", "agentcom"]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb", "DEBIAN_FRONTEND": "teletype"}
        with subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, env=environment,
                              start_new_session=True) as process:
            os.close(inside)
            os.write(terminal, f"{answer}\n".encode())
            screen = b""
            try:
                while piece := os.read(terminal, 4096):
                    screen += piece
            except OSError:  # the other side has gone
                pass
            os.close(terminal)
        self.assertEqual(process.returncode, 0, screen)
        return screen.decode()

    def test_a_purge_asks_whoever_is_there(self) -> None:
        for answer, kept in (("no", True), ("yes", False)):
            self.machine.install(PACKAGE)
            with self.machine.service() as hub:
                self.assertEqual(hub.stop(), 0, hub.log())
            self.assertIn("Delete the messages and tokens of the hub?", self.purge_at_a_terminal(answer))
            self.assertEqual(self.machine.has(DATA), kept, answer)

    def test_the_administrators_token_may_be_a_credential(self) -> None:
        self.machine.install(PACKAGE)
        with self.machine.service({"admin_token": f"{TOKEN}\n"}) as hub:
            self.assertIn("alice", self.agentcom("whoami", AGENTCOM_TOKEN=self.agentcom(
                "token", "create", "alice", "--data-dir", DATA, AGENTCOM_ADMIN_TOKEN=TOKEN).split()[0]))
            self.assertFalse(self.machine.has(f"{DATA}/admin_token"))
            self.assertEqual(hub.stop(), 0, hub.log())

    def test_a_bad_configuration_is_found_before_the_start(self) -> None:
        self.machine.install(PACKAGE)
        with open(self.machine.path / "etc/agentcom/agentcom.toml", "a", encoding="utf-8") as file:
            file.write("colour = 1\n")
        with self.assertRaises(subprocess.CalledProcessError) as refused, self.machine.service():
            pass
        self.assertIn(b"unknown key log.colour", refused.exception.stderr)
        self.assertFalse(self.machine.has(f"{DATA}/data.mdb"))


if __name__ == "__main__":
    if ROOT:
        run("ip", "link", "set", "lo", "up")
    unittest.main()
