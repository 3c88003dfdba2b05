"""What an image holds at one place of its Dockerfile, as far as environments depend on it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from envcheck.docker.config_commands import ConfigChange

__all__ = ["Brought", "Configured", "Mount", "State", "is_configuration"]

_CONFIGURATION = frozenset({".condarc", "condarc", ".mambarc", "mambarc"})
_LARGEST_CONFIGURATION = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A file or folder of the image whose origin is known.

    ``path`` is its path in the image; ``context_path`` the one in the build context, ``None`` for a file that was
    written in the Dockerfile itself, whose ``data`` is then known; ``directory`` says that everything below came along.
    """

    path: str
    line: int
    context_path: str | None = None
    data: bytes | None = None
    directory: bool = False
    stage: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """``RUN --mount=type=bind``: a part of the context that one instruction sees."""

    target: str
    context_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """One channel of conda's configuration in the image; ``line`` is where the Dockerfile put it, 0 for the image."""

    text: str
    line: int


@dataclass(slots=True)
class State:
    """The mutable state of following one stage; a stage built upon another begins with a copy.

    ``tools`` are the programs that make environments; ``may_have_tools`` says that there may be others;
    ``installer`` that an installer of conda was fetched; ``pip_settings`` what ``pip config`` sets.
    """

    base: str
    platform: str
    tools: set[str] = field(default_factory=set)
    channels: list[Configured] | None = None
    priority: str | None = None
    always_yes: bool = False
    tos_accepted: bool = False
    anaconda_installer: tuple[str, int] | None = None
    brought: list[Brought] = field(default_factory=list)
    mounts: tuple[Mount, ...] = ()
    workdir: str = "/"
    user: str = ""
    shell: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    environments: dict[str, tuple[str, int]] = field(default_factory=dict)
    prefix: str = "/opt/conda"
    ran_unknown: bool = False
    has_glibc_package: bool = False
    may_have_tools: bool = False
    installer: bool = False
    pip_settings: dict[str, str] = field(default_factory=dict)

    def copied(self) -> State:
        """A copy for a stage that is built upon this one."""
        return State(
            base=self.base,
            platform=self.platform,
            tools=set(self.tools),
            channels=None if self.channels is None else list(self.channels),
            priority=self.priority,
            always_yes=self.always_yes,
            tos_accepted=self.tos_accepted,
            anaconda_installer=self.anaconda_installer,
            brought=list(self.brought),
            workdir=self.workdir,
            user=self.user,
            shell=self.shell,
            variables=dict(self.variables),
            environments=dict(self.environments),
            prefix=self.prefix,
            ran_unknown=self.ran_unknown,
            has_glibc_package=self.has_glibc_package,
            may_have_tools=self.may_have_tools,
            installer=self.installer,
            pip_settings=dict(self.pip_settings),
        )

    @property
    def home(self) -> str:
        """The user's home; images of conda name their user after what they are."""
        if "HOME" in self.variables:
            return self.variables["HOME"]
        user = self.user.partition(":")[0]
        return "/root" if user in ("", "root", "0") else f"/home/{user}"

    def absolute(self, path: str, folder: str | None = None) -> str:
        """A path of the image, relative ones below the working directory."""
        if path == "~" or path.startswith("~/"):
            path = self.home + path[1:]
        return "/" + posixpath.normpath(posixpath.join("/", folder or self.workdir, path)).lstrip("/")

    def find(self, path: str) -> Brought | Mount | None:
        """What was last brought to a path of the image."""
        for mount in self.mounts:
            if path == mount.target or path.startswith(mount.target.rstrip("/") + "/"):
                return mount
        for one in reversed(self.brought):
            if path == one.path or (one.directory and path.startswith(one.path.rstrip("/") + "/")):
                return one
        return None

    def configure(self, change: ConfigChange, line: int) -> None:
        """What ``conda config`` changes."""
        value = change.value.strip()
        if change.key == "channels":
            self._change_channels(change.how, value, line)
        elif change.key == "channel_priority" and change.how == "set":
            self.priority = {"true": "flexible", "false": "disabled"}.get(value.lower(), value.lower())
        elif change.key in ("always_yes", "yes") and change.how == "set":
            self.always_yes = value.lower() in ("true", "yes", "1", "on", "y")
        elif change.key == "plugins.auto_accept_tos" and change.how == "set":
            self.tos_accepted = value.lower() in ("true", "yes", "1", "on", "y")

    def _change_channels(self, how: str, value: str, line: int) -> None:
        found = [one for one in self.channels or () if one.text != value]
        if how == "remove":
            self.channels = found if value else []
        elif how == "append":
            self.channels = [*found, Configured(text=value, line=line)]
        elif how == "set":
            self.channels = [Configured(text=value, line=line)]
        else:
            self.channels = [Configured(text=value, line=line), *found]

    def read_configuration(self, data: bytes, line: int) -> None:
        """What a ``.condarc`` that comes into the image says; one that is no YAML says nothing."""
        settings = _settings(data)
        channels = settings.get("channels", settings.get("channel"))
        if isinstance(channels, list):
            listed = [Configured(text=str(one), line=line) for one in channels if isinstance(one, str)]
            kept = [one for one in self.channels or () if one.text not in {new.text for new in listed}]
            # Another file's channels come behind; `defaults` of an image is no file's, so it goes.
            self.channels = [*listed, *(one for one in kept if one.line or one.text != "defaults")]
        for key in ("channel_priority", "always_yes"):
            value = settings.get(key)
            if isinstance(value, str | bool):
                self.configure(ConfigChange(how="set", key=key, value=str(value)), line)


def _settings(data: bytes) -> Mapping[str, object]:
    import yaml

    if len(data) > _LARGEST_CONFIGURATION:
        return {}
    try:
        found = yaml.safe_load(data.decode("utf-8-sig", "replace"))
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def is_configuration(path: str) -> bool:
    """Whether conda or mamba would read a file of the image as configuration, judging by its name."""
    return posixpath.basename(path) in _CONFIGURATION or "/condarc.d/" in path
