"""The real programs, offline: connected to a hub, told of mail, woken when idle.

A stand-in on loopback answers in place of the models and keeps what it was asked, so that what reaches
the model can be seen. Needs the packages of package.json and AGENTCOM_BINARY.
"""

import fcntl
import http.server
import json
import os
import pathlib
import pty
import select
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).parent
BINARY = os.environ["AGENTCOM_BINARY"]
PROGRAMS = HERE / "node_modules" / ".bin"
PATIENCE = 60.0
API_KEY = "sk-" + "x" * 20


class Model:
    """Answers every turn with one word, in the form of the API that is asked."""

    def __init__(self):
        self._asked = []
        self._changed = threading.Condition()
        self._meanwhile = None
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with model._changed:
                    model._asked.append(body.decode("utf-8", "replace"))
                    model._changed.notify_all()
                if '"tools":[{' in body.decode("utf-8", "replace"):
                    model.do_meanwhile()
                kind, text = answer(self.path)
                self.reply(kind, text)

            def do_GET(self):
                self.reply("application/json", '{"data":[],"models":[]}')

            def reply(self, kind, text):
                data = text.encode()
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def meanwhile(self, action):
        """What happens once, while the model thinks about a prompt."""
        self._meanwhile = action

    def do_meanwhile(self):
        with self._changed:
            action, self._meanwhile = self._meanwhile, None
        if action:
            action()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, text):
        """Whether a request with this text has come, or comes soon."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while not any(text in body for body in self._asked):
                if not self._changed.wait(deadline - time.monotonic()):
                    return False
        return True


def events(*items):
    return "text/event-stream", "".join(
        f"event: {item['type']}\ndata: {json.dumps(item)}\n\n" for item in items
    )


def answer(path):
    if "/messages" in path:
        message = {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": [],
                   "stop_reason": None, "stop_sequence": None,
                   "usage": {"input_tokens": 1, "output_tokens": 1}}
        return events(
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0,
             "delta": {"type": "text_delta", "text": "done"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
             "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        )
    if "/responses" in path:
        item = {"type": "message", "id": "m", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "done", "annotations": []}]}
        usage = {"input_tokens": 1, "input_tokens_details": None, "output_tokens": 1,
                 "output_tokens_details": None, "total_tokens": 2}
        return events(
            {"type": "response.created", "response": {"id": "r"}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": {"id": "r", "output": [item], "usage": usage}},
        )
    if "enerateContent" in path:
        part = {"candidates": [{"content": {"role": "model", "parts": [{"text": "done"}]},
                                "finishReason": "STOP", "index": 0}],
                "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1,
                                  "totalTokenCount": 2}}
        if "stream" in path:
            return "text/event-stream", f"data: {json.dumps(part)}\n\n"
        return "application/json", json.dumps(part)
    return "application/json", "{}"


class Terminal:
    """A program on a terminal of its own. What it shows is read and thrown away."""

    def __init__(self, words, folder, variables):
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execve(words[0], words, variables | {"TERM": "xterm-256color"})
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while not self._over.is_set():
            if not select.select([self._terminal], [], [], 0.2)[0]:
                continue
            try:
                shown = os.read(self._terminal, 65536)
            except OSError:
                return
            # Programs ask where the cursor is and what terminal this is, and wait for it.
            if b"\x1b[6n" in shown:
                os.write(self._terminal, b"\x1b[1;1R")
            if b"\x1b[c" in shown:
                os.write(self._terminal, b"\x1b[?62;c")

    def close(self):
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)
        self._over.set()
        self._reader.join()
        os.close(self._terminal)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ClientsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="agentcom-clients-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.home = self.root / "home"
        self.project = self.root / "project"
        self.home.mkdir()
        self.project.mkdir()
        self.model = Model()
        self.addCleanup(self.model.close)
        self.variables = {
            "HOME": str(self.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
            # On a machine with much to do hooks may take longer than people would wait.
            "AGENTCOM_HOOK_TIMEOUT": "20000", "NO_PROXY": "*",
            "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "ANTHROPIC_BASE_URL": self.model.url, "ANTHROPIC_API_KEY": API_KEY,
            "GOOGLE_GEMINI_BASE_URL": self.model.url, "GEMINI_API_KEY": "x",
            "GEMINI_CLI_TRUST_WORKSPACE": "true", "STAND_IN_KEY": "x",
        }
        self.url = f"http://127.0.0.1:{free_port()}"
        self.data = self.root / "data"
        hub = subprocess.Popen(
            [BINARY, "serve", "--data-dir", self.data, "--port", self.url.rsplit(":", 1)[1]],
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(hub.stderr.close)
        self.addCleanup(hub.wait)
        self.addCleanup(hub.terminate)
        while "listening" not in (line := hub.stderr.readline()):
            self.assertNotEqual(line, "", "the hub has ended")
        threading.Thread(target=lambda: [None for _ in hub.stderr], daemon=True).start()
        self.bob = self.run_program(BINARY, "token", "create", "bob", "--data-dir", self.data).strip()

    def run_program(self, *words, errors=subprocess.PIPE):
        done = subprocess.run([str(word) for word in words], cwd=self.project, env=self.variables,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                              text=True, timeout=2 * PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, (done.stdout, done.stderr))
        return done.stdout

    def connect(self, client, *flags):
        return self.run_program(BINARY, "connect", client, "--url", self.url, "--token-file",
                                self.data / "admin_token", *flags)

    def bob_writes_to(self, agent):
        request = urllib.request.Request(
            self.url + "/api/message",
            json.dumps({"to": agent, "payload": {"text": "hello"}}).encode(),
            {"Authorization": "Bearer " + self.bob, "Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE) as response:
            self.assertEqual(response.status, 200)

    def wait_until_idle(self, told):
        """Until a session that was told of so many messages waits for the next."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for file in self.home.glob(".local/state/agentcom/sessions/*.json"):
                try:
                    state = json.loads(file.read_text())
                except ValueError:
                    continue
                if state["waiter"] and state["announced"] == told:
                    return
            time.sleep(0.05)
        self.fail("the session does not wait for mail")

    def wake_twice(self, client):
        for count in (1, 2):
            self.wait_until_idle(count - 1)
            self.bob_writes_to(client)
            text = f"AgentCom: {count} unread message{'s' if count > 1 else ''} for {client}"
            self.assertTrue(self.model.wait_for(text), text)

    def prepare_claude(self, *flags):
        settings = {"hasCompletedOnboarding": True, "theme": "dark",
                    "customApiKeyResponses": {"approved": [API_KEY[-20:]], "rejected": []},
                    "projects": {str(self.project): {"hasTrustDialogAccepted": True,
                                                     "hasCompletedProjectOnboarding": True}}}
        (self.home / ".claude.json").write_text(json.dumps(settings, indent=2))
        self.connect("claude", *flags)

    def prepare_codex(self):
        (self.home / ".codex").mkdir()
        (self.home / ".codex" / "config.toml").write_text(
            f'# mine\nmodel = "stand-in"\nmodel_provider = "stand-in"\n'
            f'[model_providers.stand-in]\nname = "stand-in"\nbase_url = "{self.model.url}/v1"\n'
            f'wire_api = "responses"\nenv_key = "STAND_IN_KEY"\n'
            f'[projects."{self.project}"]\ntrust_level = "trusted"\n')
        self.connect("codex")

    def test_claude_reads_the_entry(self):
        self.prepare_claude()
        self.assertIn(self.url + "/mcp", self.run_program(PROGRAMS / "claude", "mcp", "get", "agentcom"))

    def test_claude_is_told_in_a_turn_that_ends(self):
        self.prepare_claude()
        self.bob_writes_to("claude")
        self.run_program(PROGRAMS / "claude", "-p", "say hi")
        self.assertTrue(self.model.wait_for("AgentCom: 1 unread message for claude: 1 from bob"))

    def test_claude_asks_the_hub_itself(self):
        self.prepare_claude("--http")
        self.bob_writes_to("claude")
        self.run_program(PROGRAMS / "claude", "-p", "say hi")
        self.assertTrue(self.model.wait_for("AgentCom: 1 unread message for claude: 1 from bob"))

    def test_a_turn_of_claude_goes_on_when_the_hub_says_so(self):
        self.prepare_claude("--http")
        self.model.meanwhile(lambda: self.bob_writes_to("claude"))
        self.run_program(PROGRAMS / "claude", "-p", "say hi")
        self.assertTrue(self.model.wait_for("Stop hook feedback:\\nAgentCom: 1 unread message for claude"))

    def test_an_idle_claude_is_woken(self):
        self.prepare_claude()
        claude = Terminal([str(PROGRAMS / "claude"), "say hi"], self.project, self.variables)
        self.addCleanup(claude.close)
        self.wake_twice("claude")

    def test_codex_reads_the_entry(self):
        self.prepare_codex()
        self.assertIn(self.url + "/mcp", self.run_program(PROGRAMS / "codex", "mcp", "get", "agentcom"))

    def test_an_idle_codex_is_woken(self):
        self.prepare_codex()
        codex = Terminal([str(PROGRAMS / "codex"), "--dangerously-bypass-hook-trust", "say hi"],
                         self.project, self.variables)
        self.addCleanup(codex.close)
        self.wake_twice("codex")

    def test_gemini_is_told_with_a_prompt(self):
        settings = self.home / ".gemini" / "settings.json"
        settings.parent.mkdir()
        settings.write_text(json.dumps({"security": {"auth": {"selectedType": "gemini-api-key"}},
                                        "privacy": {"usageStatisticsEnabled": False}}, indent=2))
        self.connect("gemini")
        listed = self.run_program(PROGRAMS / "gemini", "mcp", "list", errors=subprocess.STDOUT)
        self.assertIn("agentcom: " + self.url + "/mcp", listed)
        self.bob_writes_to("gemini")
        self.run_program(PROGRAMS / "gemini", "-p", "say hi")
        self.assertTrue(self.model.wait_for("<hook_context>AgentCom: 1 unread message for gemini"))


if __name__ == "__main__":
    unittest.main()
