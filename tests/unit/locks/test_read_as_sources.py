"""What envcheck writes, envcheck reads: a lock or an environment file is a source too."""

from __future__ import annotations

from envcheck.locks import conda_lock_v1, environment_yaml, explicit, pixi_lock_v7
from envcheck.locks.contents import PlatformLock
from envcheck.model import Channel, Record, SourceKind
from envcheck.sources import read_source
from envcheck.specs import spec_text

FORGE = "https://conda.anaconda.org/conda-forge"
ZLIB = Record(
    name="zlib",
    version="1.3.1",
    build="hb9d3cd8_2",
    build_number=2,
    subdir="linux-64",
    channel=FORGE,
    url=f"{FORGE}/linux-64/zlib-1.3.1-hb9d3cd8_2.conda",
    md5="a" * 32,
    sha256="b" * 64,
)


def test_an_environment_file_read_and_written_again_is_the_same() -> None:
    text = environment_yaml.render(
        "demo",
        channels=["conda-forge", "https://host.example/private"],
        specs=["python 3.10.*", "numpy ==1.26.4", "pytorch 2.1.* *cpu*", "blas * mkl", "scipy >=1,<2", "zlib"],
        pip=["requests==2.31.0", 'colorama==0.4.6 ; sys_platform == "win32"', "-e ./package", "--pre"],
    )
    export = read_source(text.encode(), "environment.yml")
    assert export.kind is SourceKind.ENVIRONMENT_YAML
    assert export.damage == ()
    again = environment_yaml.render(
        export.environment_name or "",
        channels=[channel.text for channel in export.channels],
        specs=[spec_text(requirement) for requirement in export.requirements],
        pip=[requirement.text for requirement in export.pip],
    )
    assert again == text


def test_locks_are_read_as_exports_with_url_and_hash() -> None:
    channel = Channel(name="conda-forge", url=FORGE, locations=(FORGE,))
    lock = conda_lock_v1.render([ZLIB], platform="linux-64", channels=[channel])
    listed = explicit.render([ZLIB], platform="linux-64")
    pixi = pixi_lock_v7.render([PlatformLock(platform="linux-64", packages=(ZLIB,))], channels=[channel])
    for text, kind in (
        (lock, SourceKind.CONDA_LOCK),
        (listed, SourceKind.EXPLICIT),
        (pixi, SourceKind.PIXI_LOCK),
    ):
        export = read_source(text.encode(), "x")
        assert export.kind is kind
        assert export.platform == "linux-64"
        (requirement,) = export.requirements
        assert (requirement.name, requirement.pin, requirement.build) == ("zlib", "1.3.1", "hb9d3cd8_2")
        assert (requirement.url, requirement.md5) == (ZLIB.url, ZLIB.md5)
