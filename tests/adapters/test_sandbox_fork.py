"""The bounds of a child: whatever content does to its reader, the others go on and the daemon is answered."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import sealed
from fakes.mischief import misbehaving, said

from edoc.adapters.sandbox_calls import SandboxLimits, VerifyDetached
from edoc.adapters.sandbox_fork import ForkSandbox
from edoc.envelopes.frames import MAX_FRAME_BYTES
from edoc.errors import EdocError
from edoc.model.identifiers import FileRef
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import Verdict

MATERIAL = TrustMaterial(anchors=(), at=sealed.NOW)
LIMITS = SandboxLimits(memory_bytes=128 * 1024 * 1024, seconds=1, children=3)


@pytest.fixture
async def sandbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ForkSandbox]:
    """A sandbox whose children do as they are told."""
    misbehaving(monkeypatch)
    made = ForkSandbox(LIMITS)
    yield made
    await made.close()


async def do(sandbox: ForkSandbox, deed: str) -> Verdict:
    return await sandbox.verify_detached(deed.encode(), b"", MATERIAL)


async def fault(sandbox: ForkSandbox, deed: str) -> str:
    with pytest.raises(EdocError) as caught:
        await do(sandbox, deed)
    return caught.value.code


class TestBounds:
    @pytest.mark.parametrize("deed", ["bomb", "recurse", "loop", "hang", "mute", "flood", "breed"])
    async def test_what_takes_too_much_is_stopped(self, sandbox: ForkSandbox, deed: str) -> None:
        assert await fault(sandbox, deed) == "SANDBOX_LIMIT"
        assert await do(sandbox, "say:again") == said("again")

    @pytest.mark.parametrize("deed", ["crash", "leave:3", "leave:0", "garble", "lie:NO_SUCH_FAULT"])
    async def test_a_child_that_ends_without_an_answer_could_not_read_its_content(
        self, sandbox: ForkSandbox, deed: str
    ) -> None:
        assert await fault(sandbox, deed) == "SANDBOX_UNREADABLE"
        assert await do(sandbox, "say:again") == said("again")

    @pytest.mark.parametrize("deed", ["crash", "bomb", "loop", "mute", "garble"])
    async def test_the_others_go_on_meanwhile(self, sandbox: ForkSandbox, deed: str) -> None:
        bad = asyncio.create_task(fault(sandbox, deed))
        good = await asyncio.gather(*[do(sandbox, f"slow:{number}") for number in range(20)])
        assert good == [said(str(number)) for number in range(20)]
        await bad

    async def test_a_child_that_only_verifies_cannot_write_a_file(self, sandbox: ForkSandbox, tmp_path: Path) -> None:
        target = tmp_path / "written"
        assert await fault(sandbox, f"write:{target}") == "SANDBOX_UNREADABLE"
        assert not target.exists() or target.read_bytes() == b""

    async def test_more_bad_children_than_places_do_not_use_them_up(self, sandbox: ForkSandbox) -> None:
        faults = await asyncio.gather(*[fault(sandbox, deed) for deed in ("hang", "breed", "hang", "breed", "hang")])
        assert set(faults) == {"SANDBOX_LIMIT"}
        assert await do(sandbox, "say:again") == said("again")

    async def test_a_real_document_that_needs_more_memory_than_allowed_is_a_limit(self, tmp_path: Path) -> None:
        large = tmp_path / "large.xml"
        large.write_bytes(b"<a>" + b"<b>x</b>" * 3_000_000 + b"</a>")
        made = ForkSandbox(SandboxLimits(memory_bytes=32 * 1024 * 1024, seconds=30, children=1))
        with pytest.raises(EdocError) as caught:
            await made.verify_file(FileRef(str(large)), MATERIAL)
        assert caught.value.code == "SANDBOX_LIMIT"
        await made.close()


class TestAnswers:
    async def test_they_are_never_mixed_up(self, sandbox: ForkSandbox) -> None:
        asked = [f"slow:{number}" for number in range(120)]
        answered = await asyncio.gather(*[do(sandbox, deed) for deed in asked])
        assert answered == [said(str(number)) for number in range(120)]

    async def test_a_large_one_arrives_whole(self, sandbox: ForkSandbox) -> None:
        text = "ộ" * 2_000_000
        assert await do(sandbox, f"say:{text}") == said(text)

    async def test_one_that_is_longer_than_a_frame_is_a_limit_and_not_the_parents_end(
        self, sandbox: ForkSandbox
    ) -> None:
        await do(sandbox, "say:first")
        pid = sandbox.pid
        assert await fault(sandbox, f"grow:{MAX_FRAME_BYTES}") == "SANDBOX_LIMIT"
        assert await do(sandbox, f"grow:{MAX_FRAME_BYTES - 4096}") == said("x" * (MAX_FRAME_BYTES - 4096))
        assert sandbox.pid == pid

    async def test_one_of_another_type_than_was_asked_for_is_none(self, sandbox: ForkSandbox) -> None:
        # The verdict that a child returns where a package was to be read.
        with pytest.raises(EdocError) as caught:
            await sandbox._call(VerifyDetached(b"say:x", b"", MATERIAL), list[int])
        assert caught.value.code == "SANDBOX_UNREADABLE"

    async def test_a_caller_that_gave_up_does_not_disturb_the_next_one(self, sandbox: ForkSandbox) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(do(sandbox, "hang"), 0.2)
        assert await do(sandbox, "say:next") == said("next")


class TestTheParent:
    async def test_its_death_fails_what_is_under_way_as_temporary_and_it_is_started_again(
        self, sandbox: ForkSandbox
    ) -> None:
        await do(sandbox, "say:first")
        first = sandbox.pid
        assert first is not None
        waiting = [asyncio.create_task(fault(sandbox, "hang")) for _ in range(3)]
        await asyncio.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        assert await asyncio.gather(*waiting) == ["SANDBOX_DOWN"] * 3
        assert await do(sandbox, "say:second") == said("second")
        assert sandbox.pid not in {None, first}

    async def test_its_children_die_with_it(self, sandbox: ForkSandbox) -> None:
        waiting = asyncio.create_task(fault(sandbox, "hang"))
        parent = None
        children: list[int] = []
        while not children:
            await asyncio.sleep(0.01)
            parent = sandbox.pid
            if parent is not None:
                children = _children(parent)
        assert parent is not None
        os.kill(parent, signal.SIGKILL)
        await waiting
        for _ in range(200):
            if not any(_alive(child) for child in children):
                break
            await asyncio.sleep(0.01)
        assert not any(_alive(child) for child in children)

    async def test_closing_ends_it_and_a_call_after_that_starts_a_new_one(self, sandbox: ForkSandbox) -> None:
        await sandbox.start()
        pid = sandbox.pid
        assert pid is not None
        await sandbox.close()
        assert not _alive(pid)
        assert sandbox.pid is None
        assert await do(sandbox, "say:new") == said("new")

    async def test_many_first_calls_start_one_parent(self, sandbox: ForkSandbox) -> None:
        await asyncio.gather(*[do(sandbox, "say:x") for _ in range(10)])
        assert sandbox.pid is not None
        assert _children(os.getpid()).count(sandbox.pid) == 1


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(text) for text in found.split()]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
