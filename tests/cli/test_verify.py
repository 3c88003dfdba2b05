"""``envcheck verify`` as its users run it, on locks that envcheck itself writes and on what is wrong with others."""

from __future__ import annotations

import shlex

import pytest

from tests.cli.running import CommandLine, condarc_text

KEYS = ["schema_version", "envcheck", "lock", "target", "engine", "verdict", "complete", "counts", "findings"]


@pytest.fixture
def lock(envcheck: CommandLine) -> str:
    """A lock of the fixture channels."""
    assert envcheck("lock", "clean.yml", "--explicit", "clean.lock", "--no-pip").status == 0
    return "conda-lock.yml"


def test_help_fits_eighty_columns_and_shows_how(envcheck: CommandLine) -> None:
    run = envcheck("verify", "--help")
    assert run.status == 0
    assert max(map(len, run.output.splitlines())) <= 80
    assert "Examples" in run.output


@pytest.mark.parametrize("name", ["conda-lock.yml", "clean.lock"])
def test_a_lock_of_envcheck_is_sound(envcheck: CommandLine, lock: str, name: str) -> None:
    run = envcheck("verify", name)
    assert run.status == 0
    verdict, sentence, *_ = run.output.splitlines()
    assert verdict == f"SOUND for linux-64: no problems in {name}"
    assert sentence.startswith("every conda package")
    assert run.errors == ""


def test_standard_input_and_json(envcheck: CommandLine, lock: str) -> None:
    data = (envcheck.directory / lock).read_bytes()
    run = envcheck("verify", "-", "--format", "json", data=data)
    document = run.report()
    assert run.status == 0
    assert list(document) == KEYS
    assert document["lock"]["path"] == "-"
    assert document["lock"]["format"] == "conda-lock-v1"
    assert document["verdict"] == "sound"
    assert document["complete"] is True
    assert document["counts"] == {"found": document["lock"]["conda"], "error": 0, "warning": 0, "info": 0}
    assert document["target"]["channels"] == [
        {"name": "conda-forge", "url": "https://conda.anaconda.org/conda-forge"}
    ]  # fmt: skip


def test_a_tampered_lock_ends_with_1_and_the_line(envcheck: CommandLine, lock: str) -> None:
    text = (envcheck.directory / lock).read_text(encoding="utf-8")
    before, _, after = text.partition("md5: ")
    envcheck.write("bad.yml", f"{before}md5: {'f' * 32}{after[32:]}")
    run = envcheck("verify", "bad.yml", "--format", "json")
    assert run.status == 1
    assert run.codes() == {"EC716"}
    (finding,) = run.report()["findings"]
    assert finding["location"]["line"] > 1
    assert envcheck("verify", "bad.yml", "--fail-on", "never").status == 0
    assert envcheck("verify", "bad.yml", "--ignore", "EC716").status == 0
    assert envcheck("verify", "bad.yml", "--select", "EC720").status == 0
    text_run = envcheck("verify", "bad.yml")
    assert "error EC716" in text_run.output
    assert f"(line {finding['location']['line']})" in text_run.output


def test_several_platforms_stand_in_reports(envcheck: CommandLine) -> None:
    assert envcheck("lock", "clean.yml", "-p", "linux-64", "-p", "win-64", "--no-pip").status == 0
    document = envcheck("verify", "conda-lock.yml", "--format", "json").report()
    assert [one["target"]["platform"] for one in document["reports"]] == ["linux-64", "win-64"]
    one = envcheck("verify", "conda-lock.yml", "-p", "win-64", "--format", "json").report()
    assert one["target"]["platform"] == "win-64"
    refused = envcheck("verify", "conda-lock.yml", "-p", "osx-64")
    assert refused.status == 2
    assert refused.errors.count("\n") == 2


def test_a_channel_that_does_not_answer_ends_with_3(envcheck: CommandLine, lock: str) -> None:
    envcheck.configure(condarc_text({"conda-forge": "http://127.0.0.1:9/conda-forge"}))
    run = envcheck("verify", lock, "--format", "json")
    assert run.status == 3
    assert run.report()["complete"] is False
    assert run.codes() == {"EC719"}


def test_other_channels_can_be_put_in_their_place(envcheck: CommandLine, lock: str) -> None:
    run = envcheck("verify", lock, "--override-channels", "-c", "bioconda", "--format", "json")
    assert run.codes() == {"EC718"}
    assert run.status == 3  # nobody was asked about its files
    assert run.report()["verdict"] == "unproven"
    assert envcheck("verify", lock, "--override-channels").status == 2


def test_the_package_index_is_asked_on_request(envcheck: CommandLine) -> None:
    wheel = "https://files.pythonhosted.org/packages/no-such-project-1.0-py3-none-any.whl"
    envcheck.write(
        "pip.yml",
        "version: 1\nmetadata:\n  content_hash: {linux-64: x}\n  channels: []\n  platforms: [linux-64]\n  sources: []\n"
        "package:\n- name: no-such-project\n  version: '1.0'\n  manager: pip\n  platform: linux-64\n"
        f"  dependencies: {{}}\n  url: {wheel}\n  hash:\n    sha256: {'a' * 64}\n  category: main\n  optional: false\n",
    )
    assert envcheck("verify", "pip.yml", "--format", "json").codes() == {"EC714"}
    assert envcheck("verify", "pip.yml", "--format", "json", "--online").codes() == {"EC714", "EC725"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: x\ndependencies: [python]\n", "bad.lock: This is no lock of a known format."),
        ("@EXPLICIT\nhttps://example.org/linux-64/a-1-0.conda\nb=1\n", "bad.lock:3: "),
        ("version: 1\nmetadata: {}\npackage: [\n", "bad.lock:4: "),
        (b"\x00\x01\x02\x03", "bad.lock"),
        ("", "bad.lock"),
    ],
)
def test_what_is_no_lock_ends_with_2_and_one_message(
    envcheck: CommandLine, content: str | bytes, message: str
) -> None:  # fmt: skip
    envcheck.write("bad.lock", content)
    run = envcheck("verify", "bad.lock")
    assert run.status == 2
    assert run.output == ""
    assert message in run.errors
    assert len(run.errors.splitlines()) <= 2


@pytest.mark.parametrize("name", ["environment.yml", "two words.yml"])
def test_another_file_is_told_by_its_name_what_it_is_for(envcheck: CommandLine, name: str) -> None:
    envcheck.write(name, "channels: [conda-forge]\ndependencies: [python=3.10]\n")
    hint = envcheck("verify", name).errors.splitlines()[-1]
    command = hint.rpartition(": ")[2]
    assert command == f"envcheck check {shlex.quote(name)}"
    assert envcheck(*shlex.split(command)[1:], "--offline").status == 0
    assert envcheck("--lang", "zh", "verify", name).errors.endswith(f"{command}\n")


def test_usage(envcheck: CommandLine, lock: str) -> None:
    assert envcheck("verify", "no-such-file").status == 2
    assert envcheck("verify").status == 2
    assert envcheck("verify", lock, "--select", "EC999").status == 2
    # A check's finding is none of a lock's.
    assert envcheck("verify", lock, "--select", "EC402").status == 2
    assert envcheck("rules", "EC716").output.startswith("EC716: Hash differs from the channel's\n\nThe channel states")


def test_secrets_are_not_shown(envcheck: CommandLine, lock: str) -> None:
    text = (envcheck.directory / "clean.lock").read_text(encoding="utf-8")
    secret = "tk-" + "12ab34cd56ef"
    envcheck.write("secret.lock", text.replace("anaconda.org/", f"anaconda.org/t/{secret}/"))
    for options in ((), ("--format", "json"), ("-v",)):
        run = envcheck("verify", "secret.lock", *options)
        assert "EC711" in run.output
        assert secret not in run.output + run.errors
