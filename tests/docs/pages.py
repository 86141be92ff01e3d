"""Markdown as the tests of the documentation read it: blocks in fences, notes in comments, links and headings."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^( *)```(\S*)\s*$")
_NOTE = re.compile(r"^<!-- (.*?) -->$")


@dataclass
class Block:
    """What stands between two fences, and the notes right before it."""

    page: Path
    line: int
    language: str
    text: str
    notes: list[str] = field(default_factory=list)
    shown: "Block | None" = None  # Of a block of commands: the output that the page shows.

    @property
    def place(self) -> str:
        return f"{os.path.relpath(self.page, REPOSITORY)}:{self.line}"

    def all(self, kind: str) -> list[str]:
        """What the notes `<!-- kind: ... -->` before this block say."""
        return [note[len(kind) + 2:] for note in self.notes if note.startswith(kind + ": ")]

    def note(self, kind: str) -> str | None:
        return next(iter(self.all(kind)), None)


def blocks(page: Path) -> list[Block]:
    """The page's blocks. A block ```text after one of commands, with nothing between, belongs to it."""
    found: list[Block] = []
    notes: list[str] = []
    adjacent = False
    lines = iter(enumerate(page.read_text().splitlines(), start=1))
    for number, line in lines:
        if fence := _FENCE.match(line):
            text = []
            for _, inner in lines:
                if _FENCE.match(inner):
                    break
                text.append(inner.removeprefix(fence[1]))
            block = Block(page, number, fence[2], "\n".join(text) + "\n", notes)
            if block.language == "text" and adjacent:
                found[-1].shown = block
            else:
                found.append(block)
            notes, adjacent = [], block.language == "sh"
        elif note := _NOTE.match(line):
            notes.append(note[1])
            adjacent = False
        elif line.strip():
            notes, adjacent = [], False
    return found


def without_blocks(page: Path) -> str:
    """The page's text with every line kept, but those of blocks empty."""
    kept, inside = [], False
    for line in page.read_text().splitlines():
        fence = _FENCE.match(line)
        kept.append("" if inside or fence else line)
        inside ^= bool(fence)
    return "\n".join(kept)


def anchors(page: Path) -> set[str]:
    """Names of the page's headings, as GitHub makes them."""
    names: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", without_blocks(page), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")
        names.add(name if name not in names else f"{name}-1")
    return names


def links(page: Path) -> list[str]:
    """Targets of the page's links, but those that lead elsewhere."""
    text = re.sub(r"`[^`\n]*`", "", without_blocks(page))
    found = re.findall(r"\]\(\s*([^)\s]+)\s*\)", text) + re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, re.MULTILINE)
    return [target for target in found if not re.match(r"[a-z]+:", target)]


class Source:
    """The hub's sources, with texts that stand in several literals put together."""

    def __init__(self) -> None:
        self._files: list[str] = []
        for file in sorted([*(REPOSITORY / "src").rglob("*.[ch]pp"), *(REPOSITORY / "include").rglob("*.hpp")]):
            text = re.sub(r'"\s*\n?\s*"', "", file.read_text())
            self._files.append(text.replace('\\"', '"').replace("\\n", "\n"))
        self._system = {os.strerror(number) for number in range(1, 134)}

    def says(self, quoted: str) -> bool:
        """Whether one file has all pieces of a text in which `...` is what differs; the system's words at its end
        are the system's."""
        for words in self._system:
            quoted = quoted.removesuffix(f": {words}")
        pieces = [piece for piece in quoted.split("...") if piece.strip(" :`")]
        return bool(pieces) and any(all(piece in text for piece in pieces) for text in self._files)

    def knows(self, code: str) -> bool:
        """Whether `code` is a whole literal."""
        return any(f'"{code}"' in text for text in self._files)

    def pairs(self, number: str, code: str) -> bool:
        """Whether errors with `code` have this status, or connections closed for it this close code."""
        row = rf'"{code}",\s+{number},' if len(number) == 3 else rf"\b{code} = {number}\b"
        return any(re.search(row, text) for text in self._files)
