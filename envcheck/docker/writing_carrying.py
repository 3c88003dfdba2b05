"""The user's stages in a written Dockerfile: their bases, their users, and where the environments go."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from envcheck.docker.images import split_reference
from envcheck.docker.instructions import Dockerfile, Instruction, Stage
from envcheck.docker.writing_images import FinalBase, base_user, final_base, packages_for
from envcheck.docker.writing_placing import EnvironmentPlacer
from envcheck.docker.writing_shell import exec_rest, shell_rest
from envcheck.docker.writing_words import program_of, programs
from envcheck.language import say

__all__ = ["Carrier", "affected_stages"]

_USER, _USER_ID = "app", 10001
_MICROMAMBA_USER_ID = 57439  # mamba-org/micromamba-docker, debian.Dockerfile

_TAIL = frozenset({"CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "LABEL", "STOPSIGNAL"})
"""What needs no user other than the one that the image ends with."""

_SYSTEM = frozenset({"", "/tmp", "/root", "/home", "/usr", "/opt", "/etc", "/var", "/srv"})  # noqa: S108


def affected_stages(dockerfile: Dockerfile, makers: Collection[int]) -> frozenset[int]:
    """The stages that have to do with the environments: those that make them, below and above, and that copy them."""
    found = set(makers)
    for index in makers:
        parent = dockerfile.stages[index].parent
        while parent is not None:
            found.add(parent)
            parent = dockerfile.stages[parent].parent
    for stage in dockerfile.stages:
        sources = {one.flag("from") for one in stage.instructions if one.keyword == "COPY"} - {None}
        copied = [dockerfile.stage(str(source)) for source in sources]
        if stage.parent in found or any(one is not None and one.index in found for one in copied):
            found.add(stage.index)
    return frozenset(found)


class Carrier(EnvironmentPlacer):
    """Carries the stages of a Dockerfile over, one after the other."""

    def arguments(self) -> list[str]:
        """The ARG instructions before the first FROM."""
        return [self._comments(one) + self._masked(one, one.text) for one in self._dockerfile.arguments]

    def stage(self, stage: Stage) -> str:
        """The text of one stage."""
        if stage.index not in self.affected:
            return "".join(
                self._comments(one) + self._renumbered(self._masked(one, one.text)) + "\n"
                for one in (stage.origin, *stage.instructions)
                if not one.triggered
            )
        base = final_base(stage.base) if stage.parent is None else FinalBase()
        blocks: list[str] = []
        kept: list[tuple[Instruction, str]] = []
        pending = [one for one in self._placed if one.stage == stage.index]
        for instruction in stage.instructions:
            if instruction.triggered:
                continue  # The ONBUILD that it stands behind is carried over in its own stage.
            made = [one for one in pending if instruction.first_line in one.lines]
            for one in made:
                pending.remove(one)
                kept.append((instruction, self._environment(one, stage)))
            absent = any(one.stage == stage.index for one in self._placed) and bool(pending)
            self._scope = replace(self._scope, absent=absent, replaced=self._bottom(stage)[1].image is not None)
            comments = "" if made else self._comments(instruction)
            if (brought := self._brought_by(instruction, stage)) is not None:
                kept.append((instruction, comments + brought))
                continue
            text = self._carried(instruction, stage)
            if text is not None:
                kept.append((instruction, comments + text))
                if lost := self._path_again(instruction, stage, pending):
                    kept.append((instruction, lost))
        # Nothing of the stage is known to make what is left.
        kept += [(stage.origin, self._environment(one, stage)) for one in pending]
        blocks.append(self._from(stage, base))
        blocks += self._after_from(stage, base)
        ending = self._user_block(stage, [one for one, _ in kept])
        position = len(kept)
        while ending and position and kept[position - 1][0].keyword in _TAIL and _is_tail(kept[position - 1][1]):
            position -= 1
        blocks += [text for _, text in kept[:position]]
        if ending:
            blocks.append(ending)
        blocks += [text for _, text in kept[position:]]
        return "".join(_spaced(blocks))

    # -- FROM, and what has to follow it -------------------------------------------------------------------------

    def _from(self, stage: Stage, base: FinalBase) -> str:
        origin = stage.origin
        comments = self._comments(origin)
        if base.image is None:
            if stage.parent is None and split_reference(stage.base)[1:] == (None, None) and "$" not in stage.base:
                self._tell(
                    origin, say("{image} has no tag: the image that it means changes; name one", image=stage.base)
                )
            return comments + self._masked(origin, origin.text) + "\n"
        platform = re.search(r"--platform=\S+", origin.text)
        name = re.search(r"\s(?i:as)\s+(\S+)\s*$", origin.value)
        words = ["FROM", *([platform[0]] if platform else []), base.image, *(["AS", name[1]] if name else [])]
        if not base.packages:
            self._tell(
                origin,
                say("{image} is written as {other}, which is pinned to a release", image=stage.base, other=base.image),
            )
        else:
            self._tell(
                origin,
                say(
                    "{image} is replaced by {other}: conda is needed to make the environment only",
                    image=stage.base,
                    other=base.image,
                ),
            )
        if base.moved:
            self._tell(
                origin,
                say("{release} gets no updates any more: {other} is newer", release=base.moved, other=base.image),
            )
        if base.much_more and not any(one.wanted != "/opt/conda" for one in self._placed):
            self._tell(
                origin,
                say(
                    "the packages that {image} has besides are not in the image: only those of the lock",
                    image=stage.base,
                ),
            )
        return comments + " ".join(words) + "\n"

    def _after_from(self, stage: Stage, base: FinalBase) -> list[str]:
        """What the image that was replaced had and the Dockerfile relies on."""
        if base.image is None or not base.packages:
            return []
        blocks = ["ENV LANG=C.UTF-8 LC_ALL=C.UTF-8\n"]
        text = "\n".join(one.text for one in self._stages_on(stage))
        installed = " ".join(re.findall(r"apt(?:-get)?\s[^&|;]*install\b([^&|;]*)", text.replace("\\\n", " "))).split()
        wanted = [one for one in packages_for(self._called(stage), base.packages) if one not in installed]
        if wanted:
            self._tell(
                stage.origin,
                say(
                    "{image} had {names}, which the Dockerfile calls: installed again",
                    image=stage.base,
                    names=", ".join(wanted),
                ),
            )
            blocks.append(
                "# hadolint ignore=DL3008\n"
                "RUN apt-get update && \\\n"
                f"    apt-get install --yes --no-install-recommends {' '.join(wanted)} && \\\n"
                "    rm -rf /var/lib/apt/lists/*\n"
            )
        others = [one for one in base.packages if one not in wanted and one != "ca-certificates"]
        if others:
            self._tell(
                stage.origin,
                say(
                    "{image} also had {names}: add what the application calls",
                    image=stage.base,
                    names=", ".join(others),
                ),
            )
        if "MAMBA_ROOT_PREFIX" in text:
            blocks.append("ENV MAMBA_ROOT_PREFIX=/opt/conda\n")
        if base.user and self._has_user(stage):
            lines = [f"RUN useradd --create-home --uid {_MICROMAMBA_USER_ID} {base.user}"]
            if "MAMBA_USER" in text:
                lines.append(f"ENV MAMBA_USER={base.user}")
            lines.append(f"USER {_MICROMAMBA_USER_ID}")
            if not any(one.keyword == "WORKDIR" for one in stage.instructions):
                lines.append("WORKDIR /tmp")
            blocks.append("\n".join(lines) + "\n")
        return blocks

    def _called(self, stage: Stage) -> frozenset[str]:
        """The programs that a stage and those built upon it call, once conda is out of them."""
        found: set[str] = set()
        for one in self._stages_on(stage):
            if one.keyword in ("RUN", "CMD", "ENTRYPOINT"):
                if one.arguments is not None:
                    found.add(program_of(exec_rest(one.arguments)[0])[0])
                else:
                    script = "\n".join((one.value, *(document.body for document in one.heredocs)))
                    found |= programs(shell_rest(script, self._scope).text)
        return frozenset(found)

    # -- The user ------------------------------------------------------------------------------------------------

    def _user_block(self, stage: Stage, kept: Sequence[Instruction]) -> str:
        """A user other than root for the image's end, where the Dockerfile has none."""
        if stage.index != self._dockerfile.stages[-1].index:
            return ""
        chain = self._chain(stage)
        root = chain[0]
        users = [one for link in chain for one in link.instructions if one.keyword == "USER"]
        last = users[-1].words[0] if users and users[-1].words else ""
        known = self._bottom(stage)[1]
        if last not in ("", "root", "0", "0:0", "root:root") or (not last and known.user):
            return ""
        text = "\n".join(one.text for one in kept)
        if re.search(r"/root\b|~/", text):
            self._tell(stage.origin, say("the image runs as root: the Dockerfile uses root's own folder"))
            return ""
        if known.user:
            return f"USER {_MICROMAMBA_USER_ID}\n"
        if base_user(known.image or root.base) is None:
            self._tell(stage.origin, say("no user is added: what {image} runs as is not known", image=root.base))
            return ""
        folders = [one.words[0] for one in kept if one.keyword == "WORKDIR" and one.words]
        folder = folders[-1] if folders else ""
        command = f"useradd --create-home --uid {_USER_ID} {_USER}"
        if folder.startswith("/") and folder.rstrip("/") not in _SYSTEM and re.fullmatch(r"[\w./-]+", folder):
            command += f" && \\\n    chown {_USER}:{_USER} {folder}"
        self._tell(
            users[-1] if users else stage.origin,
            say(
                "the image runs as the user '{user}', not as root: give it what the application writes to "
                "(COPY --chown={user}:{user})",
                user=_USER,
            ),
        )
        return f"\nRUN {command}\nUSER {_USER_ID}\n"


def _is_tail(text: str) -> bool:
    """Whether a carried text is one instruction of the kind that may stand behind USER."""
    return not re.search(r"^(?:RUN|COPY|USER|WORKDIR|ADD)\b", text, flags=re.MULTILINE)


def _spaced(blocks: Sequence[str]) -> list[str]:
    """Blocks with at most one empty line between them."""
    text = "".join(blocks)
    return [re.sub(r"\n{3,}", "\n\n", text)]
