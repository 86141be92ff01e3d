"""The container image, run as its configuration says; the compose file and the Kubernetes manifest beside it.

AGENTCOM_IMAGE_ROOT and AGENTCOM_IMAGE_CONFIG are what tests/container/build_image printed. To be run by
root, in name spaces of its own for mounts and the network, as `scripts/test container` does. podman and
docker are not needed: what they would add, limits and networks, is theirs."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples/container"
BINARY = os.environ.get("AGENTCOM_BINARY", str(REPOSITORY / "build/release/agentcom"))
ROOT = os.environ.get("AGENTCOM_IMAGE_ROOT")
PATIENCE_S = 30
DATA = "/var/lib/agentcom"


def _configuration() -> dict:
    config = json.loads(os.environ["AGENTCOM_IMAGE_CONFIG"])
    return config["config"]


@unittest.skipUnless(ROOT, "there are no rights to build and enter an image")
class Image(unittest.TestCase):
    def setUp(self) -> None:
        self.config = _configuration()
        self.volume = Path(self.enterContext(tempfile.TemporaryDirectory()))
        # A volume begins with what the image has in its place.
        at = Path(ROOT) / DATA.lstrip("/")
        os.chmod(self.volume, at.stat().st_mode & 0o7777)
        os.chown(self.volume, at.stat().st_uid, at.stat().st_gid)
        for source, target in ((self.volume, at), ("/dev", Path(ROOT) / "dev")):
            subprocess.run(["mount", "--bind", source, target], check=True)
            self.addCleanup(subprocess.run, ["umount", target], check=True)

    def command(self, arguments: list[str]) -> dict:
        environment = dict(each.split("=", 1) for each in self.config["Env"])
        enter = ["chroot", f"--userspec={self.config['User']}", ROOT]
        return {"args": [*enter, *arguments], "env": environment, "text": True}

    def run_inside(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(**self.command(list(arguments)), capture_output=True)

    def start(self) -> tuple[subprocess.Popen, int]:
        """As the first process of a name space, which has no default for SIGTERM; and its number here."""
        command = self.command(self.config["Entrypoint"] + self.config["Cmd"])
        command["args"] = ["unshare", "--pid", "--fork", "--kill-child", *command["args"]]
        process = subprocess.Popen(**command, stderr=subprocess.PIPE)
        for line in process.stderr:
            if "listening on" in line:
                break
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        (hub,) = children.read_text().split()
        return process, int(hub)

    def stop(self, process: subprocess.Popen, hub: int) -> int:
        os.kill(hub, getattr(signal, self.config["StopSignal"]))
        with process.stderr:
            process.stderr.read()
        return process.wait(PATIENCE_S)

    def test_the_hub_serves_is_healthy_keeps_and_stops(self) -> None:
        check = self.config["Healthcheck"]["Test"]
        self.assertEqual(check[0], "CMD")
        self.assertNotEqual(self.run_inside(*check[1:]).returncode, 0, "nobody is there yet")
        tokens = []
        for turn in range(2):
            process, hub = self.start()
            self.addCleanup(process.kill)
            healthy = self.run_inside(*check[1:])
            self.assertEqual(healthy.returncode, 0, healthy.stderr)
            made = self.run_inside("agentcom", "token", "create", f"agent{turn}")
            self.assertEqual(made.returncode, 0, made.stderr)
            tokens.append((self.volume / "admin_token").read_text())
            self.assertEqual(self.stop(process, hub), 0)
        self.assertEqual(tokens[0], tokens[1], "the volume has kept everything")

    def test_it_is_nobody_special_and_says_where_its_data_is(self) -> None:
        user, group = (int(number) for number in self.config["User"].split(":"))
        self.assertGreater(user, 0)
        self.assertGreater(group, 0)
        self.assertEqual(list(self.config["Volumes"]), [DATA])
        self.assertEqual((self.volume.stat().st_uid, self.volume.stat().st_mode & 0o777), (user, 0o700))
        self.assertEqual(list(self.config["ExposedPorts"]), ["4000/tcp"])

    def test_nothing_that_builds_is_in_it(self) -> None:
        for tool in ("g++", "cmake", "ninja", "git"):
            self.assertIsNone(shutil.which(tool, path=f"{ROOT}/usr/bin"), tool)


class Context(unittest.TestCase):
    def test_every_builder_leaves_out_the_same(self) -> None:
        # Podman and Buildah read the one, Docker only the other. A store and a token must not get into an image.
        left_out = [(REPOSITORY / name).read_text().split() for name in (".containerignore", ".dockerignore")]
        self.assertEqual(left_out[0], left_out[1])
        self.assertLessEqual({".git", "build", "data", "*-data"}, set(left_out[0]))


class Examples(unittest.TestCase):
    def setUp(self) -> None:
        self.compose = yaml.safe_load((EXAMPLES / "compose.yaml").read_text())
        documents = yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text())
        self.kinds = {document["kind"]: document for document in documents}
        self.pod = self.kinds["StatefulSet"]["spec"]["template"]["spec"]
        (self.container,) = self.pod["containers"]
        self.file = (REPOSITORY / "Containerfile").read_text()

    def user(self) -> list[int]:
        return [int(number) for number in re.search(r"^USER (\d+):(\d+)$", self.file, re.MULTILINE).groups()]

    def test_the_data_are_in_a_volume(self) -> None:
        hub = self.compose["services"]["hub"]
        self.assertEqual(hub["volumes"], [f"data:{DATA}"])
        self.assertIn("data", self.compose["volumes"])
        self.assertTrue((EXAMPLES / hub["build"]["context"] / hub["build"]["dockerfile"]).is_file())
        mounts = {mount["name"]: mount["mountPath"] for mount in self.container["volumeMounts"]}
        (claim,) = self.kinds["StatefulSet"]["spec"]["volumeClaimTemplates"]
        self.assertEqual(mounts[claim["metadata"]["name"]], DATA)

    def test_the_image_is_of_this_version_and_may_be_on_the_node(self) -> None:
        header = (REPOSITORY / "include/agentcom/core/version.hpp").read_text()
        version = re.search(r'kVersion = "([^"]+)"', header)[1]
        self.assertEqual(self.container["image"], f"agentcom:{version}")
        # Without a tag Kubernetes would ask a registry each time.
        self.assertEqual(self.container["imagePullPolicy"], "IfNotPresent")

    def test_it_runs_as_the_images_user(self) -> None:
        security = self.pod["securityContext"]
        self.assertEqual([security["runAsUser"], security["runAsGroup"]], self.user())
        self.assertEqual(security["fsGroup"], self.user()[1])

    def test_the_service_leads_to_the_pod(self) -> None:
        service, stateful = self.kinds["Service"], self.kinds["StatefulSet"]
        labels = stateful["spec"]["template"]["metadata"]["labels"]
        self.assertEqual(service["spec"]["selector"], labels)
        self.assertEqual(stateful["spec"]["selector"]["matchLabels"], labels)
        self.assertEqual(stateful["spec"]["serviceName"], service["metadata"]["name"])
        (port,) = self.container["ports"]
        self.assertEqual(service["spec"]["ports"][0]["targetPort"], port["name"])
        self.assertIn(f"EXPOSE {port['containerPort']}\n", self.file)
        probes = [self.container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
        self.assertEqual([probe["path"] for probe in probes], ["/livez", "/livez", "/readyz"])
        self.assertEqual({probe["port"] for probe in probes}, {port["name"]})

    def test_the_variables_are_settings(self) -> None:
        # With those by which Kubernetes tells of a service of this name.
        variables = {each["name"]: each["value"] for each in self.container["env"]}
        with tempfile.NamedTemporaryFile("w") as token:
            token.write("0123456789abcdef" * 4)
            token.flush()
            secret = variables["AGENTCOM_AUTH_ADMIN_TOKEN_FILE"]
            (mount,) = [m for m in self.container["volumeMounts"] if secret.startswith(m["mountPath"])]
            self.assertEqual(mount["name"], self.pod["volumes"][0]["name"])
            variables["AGENTCOM_AUTH_ADMIN_TOKEN_FILE"] = token.name
            variables |= {"AGENTCOM_SERVICE_HOST": "10.0.0.1", "AGENTCOM_SERVICE_PORT": "4000",
                          "AGENTCOM_PORT": "tcp://10.0.0.1:4000", "PATH": "/usr/bin:/bin"}
            ran = subprocess.run([BINARY, "check"], env=variables, capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn('format = "json"', ran.stdout)


if __name__ == "__main__":
    if ROOT:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    unittest.main()
