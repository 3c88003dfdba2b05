"""A case for every rule: a small source that makes it fire, and one close to it that does not.

The channels are those of `lab_channels`, the package index is `fixtures/index`; everything else is the real pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from envcheck.condarc import Configuration
from envcheck.engines.rattler import RattlerEngine
from envcheck.model import EngineInfo, Report, Unsolved
from envcheck.pip.configuration import index_settings
from envcheck.pip.index import open_index
from envcheck.pip.uv import UvResolver
from envcheck.pipeline import check
from envcheck.request import Request
from envcheck.world import Services
from tests.support.channels import record, write_channel

__all__ = ["FIRES", "SILENT", "Bench", "Case", "lab_channels"]


class ContraryEngine:
    """An engine that loads what it is given and finds that nothing goes together."""

    info = EngineInfo(name="contrary", version="1.0")

    def load(self, *arguments: Any, **options: Any) -> Any:
        """The index: itself."""
        return self

    def solve(self, *arguments: Any, **options: Any) -> Unsolved:
        """No, in its own words."""
        return Unsolved(explanation="tool and left quarrel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A source, its name, and what of the request and of the configuration is not as usual."""

    source: str | bytes
    name: str = "environment.yml"
    request: dict[str, Any] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)
    second_engine: Any = None
    resolver: Any = None


# ---------------------------------------------------------------------------------------------------------------------
# The world
# ---------------------------------------------------------------------------------------------------------------------


def lab_channels(directory: Path) -> dict[str, Path]:
    """Write the channels of the cases; gives each one's directory."""
    pythons = [record("python", "3.10.13"), record("python", "3.11.7")]
    without_md5 = record("nomd5")
    del without_md5["md5"]
    lab = {
        "linux-64": [
            *pythons,
            record("tool", "1.0", "h1_0"),
            record("tool", "1.2", "h1_0"),
            record("gpu", "1.0", depends=["__cuda >=12"]),
            record("core", "1.0"),
            record("core", "2.0"),
            record("left", "1.0", depends=["core 1.*"]),
            record("right", "0.9", depends=["core 1.*"]),
            record("right", "1.0", depends=["core 2.*"]),
            record("broken", "1.0", depends=["ghost"]),
            record("compiled", "1.0", "py310h1234567_0", depends=["python 3.10.*"]),
            record("compiled", "1.0", "py311h1234567_0", depends=["python 3.11.*"]),
            without_md5,
        ],
        "win-64": [*pythons, record("tool", "1.1", "h2_0"), record("winonly", "1.0"), record("tool", "1.0", "h2_0")],
        "noarch": [
            record("foo-bar", "1.0", noarch="generic"),
            record("pip", "24.0", noarch="python", depends=["python >=3.8"]),
            record("yarg", "0.1.8", noarch="python", depends=["python >=3.8"]),
            record("needs-windows", "1.0", noarch="generic", depends=["__win"]),
        ],
    }
    subdirs: dict[str, dict[str, Any]] = {
        "lab": lab,
        "more": {"linux-64": [record("tool", "3.0", "h3_0")], "noarch": []},
        "noarch-only": {"noarch": [record("spare", noarch="generic")]},
        "conda-forge": {"linux-64": [record("forged")], "win-64": [], "noarch": []},
        "nvidia": {"linux-64": [record("cuda-nvcc", "12.1", "0")], "win-64": [record("cuda-nvcc", "12.1", "h5_0")]},
        "bioconda": {"linux-64": [record("sequencer")], "noarch": []},
        "pkgs/main": {"linux-64": [], "noarch": [record("mainly", noarch="generic")]},
        "pkgs/free": {"linux-64": [record("ancient")], "noarch": []},
    }
    places = {name: write_channel(directory / name, content) for name, content in subdirs.items()}
    places["damaged"] = write_channel(directory / "damaged", {"linux-64": [], "noarch": []})
    (places["damaged"] / "linux-64" / "repodata.json").write_text('{"info": {"subdir": "linux-64"}, "packa')
    places["gone"] = directory / "gone"
    return places


class Bench:
    """Runs cases through the pipeline; channels are loaded once for all of them."""

    def __init__(self, directory: Path, package_index: str) -> None:
        self._cache = str(directory / "cache")
        self._locations = tuple(
            (name, (place.as_uri(),)) for name, place in lab_channels(directory / "channels").items()
        )
        settings = index_settings(package_index, {}, home=directory)
        self._services = Services(
            engine=RattlerEngine(),
            package_index=open_index(settings),
            resolver=UvResolver(settings=settings, environment={}, cache_directory=directory / "uv", offline=True),
        )

    def check(self, case: Case) -> Report:
        """The report of a case. Nothing is asked beyond the disk."""
        settings = {"default_channels": ("pkgs/main",), "mirrored_channels": self._locations, **case.configuration}
        request = Request(
            path=case.name,
            data=case.source.encode() if isinstance(case.source, str) else case.source,
            configuration=Configuration(**settings),
            **{"offline": True, "cache_directory": self._cache, **case.request},
        )
        services = replace(self._services, second_engine=case.second_engine)
        return check(request, services if case.resolver is None else replace(services, resolver=case.resolver))

    def codes(self, case: Case) -> set[str]:
        """The codes of a case's findings."""
        return {finding.code for finding in self.check(case).findings}


# ---------------------------------------------------------------------------------------------------------------------
# The cases
# ---------------------------------------------------------------------------------------------------------------------


def env(dependencies: str, *, channels: str = "[lab]", more: str = "", **options: Any) -> Case:
    """An environment.yml with its dependencies in YAML's flow style: ``"tool, left=1.0"``."""
    return Case(source=f"name: x\nchannels: {channels}\ndependencies: [{dependencies}]\n{more}", **options)


def pip(*lines: str, listed: str = "python=3.10, pip") -> Case:
    """An environment.yml with a pip section, one line to a requirement."""
    rows = "".join(f'      - "{line}"\n' for line in lines)
    names = "".join(f"  - {name.strip()}\n" for name in listed.split(","))
    return Case(source=f"name: x\nchannels: [lab]\ndependencies:\n{names}  - pip:\n{rows}")


def hazard(*lines: str, listed: str = "python=3.10, pip") -> Case:
    """A pip section that is looked at without the package index."""
    return replace(pip(*lines, listed=listed), request={"check_pip": False})


WINDOWS = "# platform: win-64\n"
WITHOUT_UV = UvResolver(settings=index_settings(None, {}), environment={}, program="/there/is/no/uv")
CLEAN = env("python=3.10, tool=1.2, left=1.0")

IN_LAB = {"channels": ("lab",)}

FIRES: dict[str, Case] = {
    "EC101": Case(source="name: x\nchannels: [lab]\ndependencies: [python=3.10]\n".encode("utf-16")),
    "EC102": Case(source="# platform: osx-64\npython=3.10.13=0\n", name="requirements_windows.txt"),
    "EC103": env('tool, "not a spec at all ("'),
    "EC104": env("tool", more="owner: lee\n"),
    "EC105": env("tool", more="name: y\n"),
    "EC106": Case(
        source="(base) C:\\Users\\me>conda list\n# packages in environment at C:\\conda:\n#\n"
        "# Name                    Version                   Build  Channel\n"
        "python                    3.10.13              0    lab\n",
        name="list.txt",
    ),
    "EC107": env("tool", more="prefix: C:\\Users\\me\\x\n"),
    "EC108": env(""),
    "EC201": env("tool=1.2="),
    "EC202": env("tool=custom=0"),
    "EC203": env("compiled=1.0py310h1234567_0"),
    "EC204": env("tool=1.0, tool=1.2"),
    "EC205": Case(source="name: x\nchannels: [lab]\ndependencies:\n  - tool\n  - winonly  # [win]\n"),
    "EC206": env("""python=3.10, 'tool==1.0; python_version < "3"'"""),
    "EC207": Case(source=f"{WINDOWS}python=3.10.13=0\ncompiled=1.0=py311h1234567_0\n", name="list.txt"),
    "EC301": env("tool", channels="[lab, gone]"),
    "EC302": env("tool", channels="[lab, damaged]"),
    "EC303": env("tool", channels="[lab, noarch-only]"),
    "EC304": env("tool", channels="['https://conda.anaconda.org/lab/win-64']"),
    "EC305": env("tool", channels="[lab, pypi]"),
    "EC306": env("tool, forged"),
    "EC307": env("tool", channels="[lab, pkgs/free]"),
    "EC308": env("tool", channels="[lab, 'http://conda.example.org/x']"),
    "EC309": env("tool", channels="[lab, more]", configuration={"denylist_channels": ("more",)}),
    "EC310": Case(source=f"{WINDOWS}tool=1.0=h2_0\ncuda-nvcc=12.1=h5_0\n", name="list.txt", request=IN_LAB),
    "EC311": env("tool", channels="[]", request=IN_LAB),
    "EC401": Case(source=f"{WINDOWS}tool=1.0=h2_0\n", name="list.txt", request={"channels": ("lab",)}),
    "EC402": env("tool, winonly"),
    "EC403": env("gpu=1.0"),
    "EC404": Case(source=f"{WINDOWS}tool=1.0=h2_0\ncudatoolkit=11.8.0=h2_0\n", name="list.txt", request=IN_LAB),
    "EC501": env("tool=1.1"),
    "EC502": env("tool=1.2=h9_9"),
    "EC503": env("tool, sequencer"),
    "EC504": env("tool, foo_bar"),
    "EC505": env("python=3.10, tool, meteva"),
    "EC506": env("tool, tooool"),
    "EC507": env("tool=3.0", channels="[lab, more]", configuration={"channel_priority": "strict"}),
    "EC508": env("left=1.0, right=1.0"),
    "EC509": env("tool, sequencer", channels="[lab, damaged]"),
    "EC510": env("broken"),
    "EC511": env("tool, broken"),
    "EC601": Case(source=f"{WINDOWS}python=3.10.13=0\nmeteva=1.7.5=pypi_0\n", name="list.txt"),
    "EC602": pip("nosuchproject==1.0"),
    "EC603": pip("pandas==9.9"),
    "EC604": pip("pywin32==306"),
    "EC605": pip("cmaps==2.0.1"),
    "EC606": pip("slicer==0.0.7"),
    "EC607": Case(source="python==3.10\nattrs @ file:///C:/ci/attrs_1\nsix==1.16.0\n", name="requirements.txt"),
    "EC608": pip("git+https://github.com/psf/requests.git@main#egg=requests"),
    "EC609": pip("-e ."),
    "EC610": pip("-r requirements-dev.txt"),
    "EC611": pip("attrs==23.1.0", listed="python=3.10"),
    "EC612": pip("attrs=23.1.0=py310_0"),
    "EC613": Case(source=pip("attrs==23.1.0").source, request={"check_pip": False}),
    "EC614": pip("--extra-index-url https://pypi.example.org/simple", "attrs==23.1.0"),
    "EC615": pip("numpy==1.21.2", "pandas==2.2.1"),
    "EC616": pip("pipreqs==0.4.13"),
    "EC617": pip("compiled==1.0", listed="python=3.10, pip, compiled"),
    "EC618": pip("yarg==0.1.9", listed="python=3.10, pip, yarg"),
    "EC619": pip("attrs==23.1.0; sys_platform == 'win32'"),
    "EC620": replace(pip("attrs==23.1.0"), resolver=WITHOUT_UV),
    "EC621": pip("https://example.org/wheels/Mesa-2.1.1-py3-none-any.whl"),
    "EC622": pip("compiled[more]==1.0", listed="python=3.10, pip, compiled"),
    "EC623": pip("numpy==1.21.2", listed="pip"),
    "EC630": hazard("dataclasses==0.6"),
    "EC631": hazard("panda==0.3.1"),
    "EC632": hazard("opencv-python==4.8.0.76", "opencv-python-headless==4.8.0.76"),
    "EC633": hazard("pycrypto==2.6.1"),
    "EC634": hazard("compiled==2.0", listed="python=3.10, pip, compiled"),
    "EC701": env("compiled"),
    "EC702": env("nomd5"),
    "EC703": Case(source=CLEAN.source, second_engine=ContraryEngine()),
}

SILENT: dict[str, Case] = {
    "EC101": Case(source="name: ö\nchannels: [lab]\ndependencies: [python=3.10]\n"),
    "EC102": Case(source=f"{WINDOWS}python=3.10.13=0\n", name="requirements_windows.txt"),
    "EC103": env("tool", more="# a comment ( is no line of the environment\n"),
    "EC104": env("tool", more="variables: {A: b}\n"),
    "EC105": env("tool, left"),
    "EC106": Case(
        source="# packages in environment at C:\\conda:\n#\n"
        "# Name                    Version                   Build  Channel\n"
        "python                    3.10.13              0    lab\n",
        name="list.txt",
    ),
    "EC107": Case(source=f"{WINDOWS}python=3.10.13=0\n", name="list.txt"),
    "EC108": env("not a spec at all ("),
    "EC201": env("tool=1.2"),
    "EC202": env("tool=1.*"),
    "EC203": env("compiled=1.0=py310h1234567_0"),
    "EC204": env("tool=1.2, tool, foo-bar"),
    "EC205": Case(source="name: x\nchannels: [lab]\ndependencies:\n  - tool  # not [a selector] of ours\n"),
    "EC206": pip("attrs==23.1.0; python_version > '3'"),
    "EC207": Case(source=f"{WINDOWS}python=3.10.13=0\ncompiled=1.0=py310h1234567_0\n", name="list.txt"),
    "EC301": env("tool", channels="[lab, more]"),
    "EC302": env("tool", channels="[lab, gone]"),
    "EC303": env("tool", channels="[lab, more]"),
    "EC304": env("tool", channels="['https://conda.anaconda.org/lab']"),
    "EC305": env("tool", channels="[lab, nodefaults]"),
    "EC306": env("tool, forged", channels="[lab, conda-forge]"),
    "EC307": env("tool", channels="[lab, pkgs/main]"),
    "EC308": env(
        "tool", channels="[lab, 'http://lee:x@127.0.0.1:9/x', 'http://[::1]:9/x', 'https://conda.example.org/x']"
    ),
    "EC309": env("tool", channels="[lab]", configuration={"allowlist_channels": ("lab",)}),
    "EC310": Case(source=f"{WINDOWS}tool=1.0=h2_0\ncuda-nvcc=12.1=h6_0\n", name="list.txt", request=IN_LAB),
    "EC311": Case(source="name: x\ndependencies: [tool]\n", request=IN_LAB),
    "EC401": Case(source=f"{WINDOWS}tool=1.0=h2_0\n", name="list.txt", request={"platform": "win-64"}),
    "EC402": env("winonly", request={"platform": "win-64"}),
    "EC403": env("gpu=1.0", request={"virtual_packages": ("__cuda=12.4",)}),
    "EC404": Case(
        source=f"{WINDOWS}tool=1.0=h2_0\ncudatoolkit=11.8.0=h2_0\n",
        name="list.txt",
        request={**IN_LAB, "virtual_packages": ("__cuda=",)},
    ),
    "EC501": env("tool=1.1", request={"platform": "win-64"}),
    "EC502": env("tool=1.2=h1*"),
    "EC503": env("tool, sequencer", channels="[lab, bioconda]"),
    "EC504": env("tool, foo-bar"),
    "EC505": pip("meteva==1.7.5"),
    "EC506": env("tool, winonly"),
    "EC507": env("tool=3.0", channels="[more, lab]", configuration={"channel_priority": "strict"}),
    "EC508": env("left=1.0, right=0.9"),
    "EC509": env("tool", channels="[lab, damaged]"),
    "EC510": env("winonly"),
    "EC511": env("left=1.0, right=1.0"),
    "EC601": Case(source=f"{WINDOWS}python=3.10.13=0\ntool=1.0=h2_0\n", name="list.txt"),
    "EC602": pip("attrs==23.1.0"),
    "EC603": pip("pandas==2.0.3"),
    "EC604": pip("aiohttp==3.9.1"),
    "EC605": pip("meteva==1.7.5"),
    "EC606": pip("slicer==0.0.8"),
    "EC607": pip("attrs==23.1.0"),
    "EC608": pip("https://example.org/wheels/Mesa-2.1.1-py3-none-any.whl"),
    "EC609": pip("attrs==23.1.0"),
    "EC610": pip("--extra-index-url https://pypi.example.org/simple"),
    "EC611": pip("attrs==23.1.0"),
    "EC612": pip("attrs==23.1.0"),
    "EC613": Case(source=CLEAN.source, request={"check_pip": False}),
    "EC614": pip("-r requirements-dev.txt", "attrs==23.1.0"),
    "EC615": pip("numpy==1.26.4", "pandas==2.2.1"),
    "EC616": pip("yarg==0.1.9"),
    "EC617": pip("attrs==23.1.0", listed="python=3.10, pip, compiled"),
    "EC618": pip("yarg==0.1.8", listed="python=3.10, pip, yarg"),
    "EC619": pip("attrs==23.1.0; sys_platform == 'linux'"),
    "EC620": pip("attrs==23.1.0"),
    "EC621": pip("git+https://github.com/psf/requests.git@main#egg=requests"),
    "EC622": pip("compiled==1.0", "attrs[more]==23.1.0", listed="python=3.10, pip, compiled"),
    "EC623": pip("aiohttp==3.9.1", "attrs==23.1.0", listed="pip"),
    "EC630": hazard("asyncio==4.0.0", "dataclasses==0.6; python_version < '3.7'"),
    "EC631": hazard("pandas==2.2.1", "sklearn==0.0", "tensorflow-gpu==2.10.0"),
    "EC632": hazard("opencv-python==4.8.0.76", "pycryptodome==3.20.0"),
    "EC633": hazard("pycryptodome==3.20.0", "nose==1.3.7; python_version < '3.10'"),
    "EC634": hazard("compiled==1.0", "tool==1.0", listed="python=3.10, pip, compiled, tool"),
    "EC701": env("python=3.11, compiled"),
    "EC702": env("tool"),
    "EC703": Case(source=CLEAN.source, second_engine=RattlerEngine()),
}
