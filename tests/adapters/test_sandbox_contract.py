"""The fake and the real Sandboxes keep one contract."""

from __future__ import annotations

from contracts.sandbox import SandboxContract
from fakes.sandbox import FakeSandbox

from edoc.adapters.sandbox_calls import SandboxLimits
from edoc.adapters.sandbox_fork import ForkSandbox
from edoc.adapters.sandbox_split import SplitSandbox
from edoc.ports import Sandbox


class TestFakeSandbox(SandboxContract):
    def made(self) -> Sandbox:
        return FakeSandbox()


class TestForkSandbox(SandboxContract):
    def made(self) -> Sandbox:
        self._fork = ForkSandbox(SandboxLimits(children=2))
        return self._fork

    async def unmade(self) -> None:
        await self._fork.close()


class TestSplitSandbox(SandboxContract):
    def made(self) -> Sandbox:
        self._split = SplitSandbox(SandboxLimits(children=2))
        return self._split

    async def unmade(self) -> None:
        await self._split.close()
