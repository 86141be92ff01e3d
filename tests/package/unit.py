"""What stands in a unit file of systemd."""


class Unit:
    """The settings of a unit file. Lists are as systemd has them: an assignment adds to the earlier
    ones of the same name."""

    def __init__(self, text: str) -> None:
        self._settings: dict[str, list[str]] = {}
        for line in text.splitlines():
            if "=" in line and not line.startswith(("#", "[")):
                name, value = line.split("=", 1)
                self._settings.setdefault(name, []).append(value)

    def all(self, name: str) -> list[str]:
        return self._settings.get(name, [])

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value
