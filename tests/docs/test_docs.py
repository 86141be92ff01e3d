"""The documentation, held to the program: commands are run, links followed, quoted texts looked up in the source.

The blocks of a page are run from its first to its last. Comments before one say what a reader sees otherwise:

    <!-- terminal: 2 -->                from here on blocks are for that terminal; 1 to begin with
    <!-- stays until: listening on -->  the block does not end; go on when it has printed this
    <!-- stays -->                      the same, without anything to wait for
    <!-- appears in: 1 -->              what stays in that terminal prints the block ```text that follows
    <!-- Ctrl+C: 2 -->                  ends what stays in that terminal
    <!-- not run: needs root -->        why not; counted
    <!-- run instead: agentcom serve -->
    <!-- without: claude mcp -->        leaves out the lines that begin so
    <!-- hub: --data-dir data -->       what the page takes for granted: a hub, in the terminal "hub"
    <!-- first: mkdir data -->          and the rest of it
    <!-- file: agent.py -->             not commands: the reader saves the block under this name

What the commands print is shown in a block ```text right after theirs; `...` in it is anything.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from pages import PAGES, REPOSITORY, Block, Source, anchors, blocks, links, without_blocks
from terminal import Failed, Terminal, matches

BINARY = Path(os.environ.get("AGENTCOM_BINARY", REPOSITORY / "build/release/agentcom")).resolve()
NOTES = {"terminal", "stays", "stays until", "appears in", "Ctrl+C", "not run", "run instead", "without", "hub", "first", "file"}
# Below the root of the file system: what a page's commands may name, for which there are folders of the page's own, and
# what they may not.
STOOD_IN_FOR = ("etc/agentcom", "var/lib/agentcom", "backup")
MACHINES_OWN = ("etc", "home", "root", "usr/local", "var")


def from_the_root(names: tuple[str, ...]) -> str:
    """Matches absolute paths that begin so; the name is the group."""
    return rf"(?<![\w.~$/])/({'|'.join(names)})"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def quoted_texts(page: Path) -> list[tuple[str, str]]:
    """What the page's tables quote of the program: a number, if one stands before it, and the text."""
    found, quoting = [], False
    for line in without_blocks(page).splitlines():
        first = line.split(" | ")[0].removeprefix("| ")
        quoting = line.startswith("| ") and (quoting or first in ("it says", "line")) or (quoting and line.startswith("|"))
        if quoting:
            found += re.findall(r"(?:\b(\d{3,4}) )?`([^`]+)`", first)
    return found


class Reader:
    """Somebody who follows one page, in a checkout, with the hub's program first in PATH."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="agentcom-docs-"))
        self.run = self.left_out = 0
        self._port = str(free_port())
        self._terminals: dict[str, Terminal] = {}
        checkout = self.directory / "checkout"
        self._root = self.directory / "root"
        for folder in (checkout / "build/release", self.directory / "home", self.directory / "bin",
                       self._root / "etc/agentcom", self._root / "var/lib"):
            folder.mkdir(parents=True)
        for name in ("clients", "config", "examples"):
            (checkout / name).symlink_to(REPOSITORY / name)
        for place in (checkout / "build/release", self.directory / "bin"):
            (place / "agentcom").symlink_to(BINARY)
        self._checkout = checkout
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTCOM_", "XDG_"))}
        self._environment = own | {
            "PATH": f"{self.directory / 'bin'}:{own['PATH']}", "HOME": str(self.directory / "home"),
            "LC_ALL": "C.UTF-8", "TZ": "UTC", "AGENTCOM_SERVER_PORT": self._port,
            "AGENTCOM_URL": f"http://127.0.0.1:{self._port}"}

    def follow(self, page: Path) -> None:
        terminal = "1"
        for block in blocks(page):
            terminal = block.note("terminal") or terminal
            try:
                self._prepare(block, terminal)
                if other := block.note("appears in"):
                    self._terminal(other).wait_for(self._here(block.text))
                elif name := block.note("file"):
                    (self._checkout / name).write_text(self._here(block.text))
                elif block.language == "sh":
                    self._do(block, terminal)
            except Failed as failed:
                raise AssertionError(f"{block.place}:\n{block.text}{failed}") from None

    def close(self) -> None:
        for terminal in self._terminals.values():
            terminal.close()
        shutil.rmtree(self.directory)

    def _prepare(self, block: Block, terminal: str) -> None:
        for note in block.notes:
            kind, _, said = note.partition(": ")
            if kind == "Ctrl+C":
                self._terminal(said).interrupt()
            elif kind == "hub":
                self._terminal("hub").run_until(self._here(f"agentcom serve {said}\n"), "listening on")
            elif kind == "first":
                self._terminal(terminal).run(self._here(f"{said}\n"))

    def _do(self, block: Block, terminal: str) -> None:
        if block.note("not run"):
            self.left_out += 1
            return
        text = block.note("run instead") or block.text
        for beginning in block.all("without"):
            kept = [line for line in text.splitlines(keepends=True) if not line.startswith(beginning)]
            if "".join(kept) == text:
                raise Failed(f"no line begins with {beginning!r}")
            text = "".join(kept)
        text = self._here(text)
        if "stays" in block.notes or block.note("stays until"):
            seen = self._terminal(terminal).run_until(text, block.note("stays until") or "")
        else:
            seen = self._terminal(terminal).run(text)
        if block.shown and not matches(self._here(block.shown.text), seen):
            raise Failed(f"shown:\n{block.shown.text}printed:\n{seen}")
        if not block.shown and '{"error":' in seen:  # curl does not fail for that.
            raise Failed(f"was refused:\n{seen}")
        self.run += 1

    def _terminal(self, name: str) -> Terminal:
        if name not in self._terminals:
            self._terminals[name] = Terminal(self._checkout, self._environment, self.directory / f"terminal-{name}")
        return self._terminals[name]

    def _here(self, text: str) -> str:
        """Pages say port 4000, the system's directories and names of hubs; this is for the page's own hub and folder."""
        text = re.sub(r"https://\w+\.example\.(org|com)(/hub)?(?=\s)", "http://127.0.0.1:4000", text)
        text = re.sub(r":4000\b", f":{self._port}", text)
        text = re.sub(rf"{from_the_root(STOOD_IN_FOR)}\b", rf"{self._root}/\1", text)
        if beyond := re.search(rf"{from_the_root(MACHINES_OWN)}/|\b(sudo|systemctl|apt-get)\b", text):
            raise Failed(f"{beyond[0]} is for the whole machine")
        return text


class Pages(unittest.TestCase):
    maxDiff = None

    def test_links_lead_somewhere(self) -> None:
        broken, count = [], 0
        for page in [*PAGES, REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "clients").glob("*/README.md"))]:
            for target in links(page):
                count += 1
                name, _, anchor = target.partition("#")
                file = (page.parent / name).resolve() if name else page
                if not file.exists():
                    broken.append(f"{page.relative_to(REPOSITORY)}: {target}: no such file")
                elif anchor and anchor not in anchors(file):
                    broken.append(f"{page.relative_to(REPOSITORY)}: {target}: no such heading")
        self.assertEqual(broken, [])
        self.assertGreater(count, 100)
        print(f"{count} links")

    def test_the_map_has_every_page(self) -> None:
        folder = REPOSITORY / "docs"
        listed = {(folder / target.partition("#")[0]).resolve() for target in links(folder / "README.md")}
        pages = {page for page in PAGES if folder in page.parents and page.name != "README.md"}
        self.assertEqual(pages - listed, set())

    def test_notes_are_known(self) -> None:
        for page in PAGES:
            for block in blocks(page):
                for note in block.notes:
                    self.assertIn(note.partition(": ")[0], NOTES, block.place)

    def test_pages_do_what_they_say(self) -> None:
        run = left_out = 0
        for page in [page for page in PAGES if any(block.language == "sh" for block in blocks(page))]:
            with self.subTest(page=str(page.relative_to(REPOSITORY))):
                reader, started = Reader(), time.monotonic()
                try:
                    reader.follow(page)
                finally:
                    reader.close()
                print(f"{page.relative_to(REPOSITORY)}: {reader.run} blocks run, {reader.left_out} not, "
                      f"in {time.monotonic() - started:.1f} s")
                run += reader.run
                left_out += reader.left_out
        print(f"docs: {run} blocks of commands run, {left_out} not run")

    def test_flags_of_all_pages_exist(self) -> None:
        """Also where commands are not run: every `agentcom ...` in a block takes the flags that it is given."""
        count = 0
        for page in PAGES:
            for block in blocks(page):
                if block.language != "sh":
                    continue
                # `-u agentcom` is the user.
                named = r"(?:^|[\s(&|]|/release/)(?<!-[ugo] )agentcom ((?:[^|&;)<>#'\"]|'[^']*'|\"[^\"]*\")*)"
                for line in block.text.replace("\\\n", " ").splitlines():
                    for command in re.findall(named, line):
                        count += 1
                        self._look_at(block.place, command)
        self.assertGreater(count, 50)
        print(f"{count} commands' flags")

    def test_a_flag_or_command_that_does_not_exist_is_noticed(self) -> None:
        self._look_at("here", "send bob hello --token-file token")
        for command in ("send bob hello --token token", "token create --flavour=mint bob", "conjure bob", "token conjure"):
            with self.subTest(command), self.assertRaisesRegex(AssertionError, "here: "):
                self._look_at("here", command)

    _helps: dict[tuple[str, ...], str] = {}

    def _help(self, *command: str) -> str:
        if command not in self._helps:
            asked = subprocess.run([BINARY, *command, "--help"], capture_output=True, text=True, check=False)
            # For a command that there is not the help is that of the one before it.
            known = f"Usage: agentcom {' '.join(command)} " in asked.stdout
            self._helps[command] = asked.stdout if known else ""
        return self._helps[command]

    def _look_at(self, place: str, command: str) -> None:
        words = shlex.split(command)
        if not words or words[0].startswith("-") or words[0].isupper():
            return
        name = [words[0]]
        if "SUBCOMMAND" in self._help(*name) and len(words) > 1 and not words[1].startswith("-"):
            name.append(words[1])
        text = self._help(*name)
        self.assertTrue(text, f"{place}: no command `agentcom {' '.join(name)}`")
        for word in words:
            if word == "--":
                break
            if re.match(r"--[a-z]", word):
                flag = word.partition("=")[0]
                self.assertRegex(text, rf"{re.escape(flag)}(?![\w-])", f"{place}: agentcom {command}")


class QuotedTexts(unittest.TestCase):
    """Tables that begin with `it says` or `line` quote in that column: codes, close codes, and lines of the log."""

    def test_quoted_texts_are_the_programs(self) -> None:
        source, wrong, count = Source(), [], 0
        for page in (REPOSITORY / "docs/guides/troubleshooting.md", REPOSITORY / "docs/operations.md"):
            for number, quoted in quoted_texts(page):
                count += 1
                known = (source.pairs(number, quoted) if number
                         else source.knows(quoted) if re.fullmatch(r"[a-z_]+", quoted)
                         else source.says(quoted))
                if not known:
                    wrong.append(f"{number} {quoted}".strip())
        self.assertEqual(wrong, [])
        self.assertGreater(count, 80)
        print(f"{count} quoted texts")

    def test_a_text_that_nobody_says_is_noticed(self) -> None:
        source = Source()
        self.assertFalse(source.says("the hub has gone fishing: ..."))
        self.assertFalse(source.says("..."))
        self.assertFalse(source.knows("gone_fishing"))
        self.assertFalse(source.says(f"gone fishing: {os.strerror(1)}"))
        self.assertTrue(source.pairs("401", "unauthorized"))
        self.assertFalse(source.pairs("403", "unauthorized"))
        self.assertFalse(source.pairs("4001", "slow_consumer"))


class Machinery(unittest.TestCase):
    def test_what_is_shown_is_compared(self) -> None:
        self.assertTrue(matches("a ... c\n", "a b  \n b c\n"))
        self.assertFalse(matches("a\n", "a\nb\n"))
        self.assertFalse(matches("a.c\n", "abc\n"))

    def follow(self, text: str) -> None:
        reader = Reader()
        try:
            page = reader.directory / "page.md"
            page.write_text(text)
            reader.follow(page)
        finally:
            reader.close()

    def test_a_command_that_fails_is_noticed(self) -> None:
        with self.assertRaisesRegex(AssertionError, r"page.md:1:\nfalse\necho after\na command failed"):
            self.follow("```sh\nfalse\necho after\n```\n")

    def test_a_refusal_is_noticed(self) -> None:
        with self.assertRaisesRegex(AssertionError, "was refused"):
            self.follow("""```sh\necho '{"error":"unauthorized"}'\n```\n""")

    def test_a_command_for_the_whole_machine_is_not_run(self) -> None:
        for command in ("sudo true", "ls /etc/", "systemctl status", "cat </var/log"):
            with self.subTest(command), self.assertRaisesRegex(AssertionError, "for the whole machine"):
                self.follow(f"```sh\n{command}/\n```\n")

    def test_another_output_is_noticed(self) -> None:
        with self.assertRaisesRegex(AssertionError, "shown:\nthis\nprinted:\nthat"):
            self.follow("```sh\necho that\n```\n\n```text\nthis\n```\n")

    def test_a_program_that_does_not_stay_is_noticed(self) -> None:
        with self.assertRaisesRegex(AssertionError, "did not print 'ready'"):
            self.follow("<!-- stays until: ready -->\n```sh\necho gone\n```\n")

    def test_terminals_are_apart(self) -> None:
        self.follow("<!-- stays until: ready -->\n```sh\necho ready; cat\n```\n"
                    "<!-- terminal: 2 -->\n```sh\nname=b\n```\n"
                    "<!-- Ctrl+C: 1 -->\n<!-- terminal: 1 -->\n```sh\necho ${name-none}\n```\n\n```text\nnone\n```\n")


if __name__ == "__main__":
    if not BINARY.exists():
        sys.exit(f"{BINARY} is missing: build it, or name another in AGENTCOM_BINARY")
    unittest.main()
