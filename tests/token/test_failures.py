"""What happens when the token is pulled, the session is lost, the driver breaks, hangs or crashes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from contracts.token import request
from fixtures_token import Seals, behind, eventually, marks, running, seals, settings, shim, shim_module
from lab.softhsm import Shim

from edoc.adapters.token_check import holds
from edoc.errors import Disposition, EdocError
from edoc.model.signing import TokenPresence
from edoc.token.ckr import TABLE, Reaction
from edoc.token.server import SignerSettings

__all__ = ["seals", "settings", "shim", "shim_module"]  # fixtures


def _codes(reaction: Reaction) -> list[int]:
    return sorted(code for code, row in TABLE.items() if row.reaction is reaction)


@pytest.mark.parametrize("code", _codes(Reaction.GONE), ids=hex)
async def test_token_gone_is_told_and_the_next_request_works(settings: SignerSettings, shim: Shim, code: int) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.fail("C_Sign", code)
        with pytest.raises(EdocError) as caught:
            await signer.client.sign(request())
        assert caught.value.code == "TOKEN_ABSENT"
        assert caught.value.fault.disposition is Disposition.TEMPORARY
        assert await signer.client.sign(request())
        assert shim.calls("C_Initialize") == 1


@pytest.mark.parametrize("function", ["C_SignInit", "C_Sign"])
@pytest.mark.parametrize("code", _codes(Reaction.SESSION_LOST), ids=hex)
async def test_a_lost_session_is_reopened_with_one_login_and_nobody_notices(
    settings: SignerSettings, seals: Seals, shim: Shim, code: int, function: str
) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.fail(function, code)
        asked = request()
        assert holds(seals.rsa.der, asked.algorithm, asked.digest, await signer.client.sign(asked))
        assert shim.calls("C_Login") == 2
        assert shim.calls("C_Initialize") == 1


@pytest.mark.parametrize("code", _codes(Reaction.MODULE_BROKEN), ids=hex)
async def test_a_broken_module_is_loaded_anew_and_nobody_notices(
    settings: SignerSettings, shim: Shim, code: int
) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.fail("C_Sign", code)
        assert await signer.client.sign(request())
        assert shim.calls("C_Initialize") == 2


async def test_a_code_that_is_not_in_the_table_fails_the_request_and_restarts_nothing(
    settings: SignerSettings, shim: Shim
) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.fail("C_SignInit", 0x68)  # CKR_KEY_FUNCTION_NOT_PERMITTED
        with pytest.raises(EdocError) as caught:
            await signer.client.sign(request())
        assert caught.value.code == "TOKEN_REFUSED"
        assert (await signer.client.state()).presence is TokenPresence.READY
        assert await signer.client.sign(request())
        assert shim.calls("C_Initialize") == 1


async def test_a_session_that_is_lost_every_time_gives_up_after_one_more_try(
    settings: SignerSettings, shim: Shim
) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.fail("C_Sign", 0xB3, times=0)
        with pytest.raises(EdocError) as caught:
            await signer.client.sign(request())
        assert caught.value.code == "TOKEN_BROKEN"
        assert caught.value.fault.disposition is Disposition.TEMPORARY
        assert shim.calls("C_Sign") == 2
        shim.calm()
        assert await signer.client.sign(request())


async def test_a_pulled_token_is_absent_and_ready_again_when_it_is_back(settings: SignerSettings, shim: Shim) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.pull()
        with pytest.raises(EdocError, match="TOKEN_ABSENT"):
            await signer.client.sign(request())
        assert (await signer.client.state()).presence is TokenPresence.ABSENT
        shim.insert()
        assert await signer.client.sign(request())
        assert (await signer.client.state()).presence is TokenPresence.READY


async def test_presence_is_noticed_without_anybody_asking_for_a_signature(settings: SignerSettings, shim: Shim) -> None:
    shim.pull()
    async with running(behind(settings, shim)) as signer:
        assert (await signer.client.state()).presence is TokenPresence.ABSENT
        shim.insert()
        await signer.until(TokenPresence.READY)
        shim.pull()
        await signer.until(TokenPresence.ABSENT)
        shim.insert()
        await signer.until(TokenPresence.READY)


async def test_a_token_pulled_and_put_back_between_two_looks_is_logged_in_to_again(
    settings: SignerSettings, shim: Shim
) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.pull()
        shim.insert()
        assert await signer.client.sign(request())
        assert shim.calls("C_Login") == 2


async def test_a_hang_is_ended_and_the_request_is_signed_by_the_next_worker(
    settings: SignerSettings, shim: Shim
) -> None:
    impatient = behind(settings, shim, request_timeout=timedelta(seconds=2))
    async with running(impatient) as signer:
        await signer.until(TokenPresence.READY)
        shim.hang("C_Sign")
        assert await signer.client.sign(request())
        assert shim.calls("C_Initialize") == 2


async def test_a_token_that_hangs_every_time_is_broken_and_mends_when_it_stops(
    settings: SignerSettings, shim: Shim
) -> None:
    impatient = behind(settings, shim, request_timeout=timedelta(seconds=1))
    async with running(impatient) as signer:
        await signer.until(TokenPresence.READY)
        shim.hang("C_Sign", times=0)
        with pytest.raises(EdocError) as caught:
            await signer.client.sign(request())
        assert caught.value.code == "TOKEN_BROKEN"
        assert "no answer within 1 s" in caught.value.text("en")
        shim.calm()
        await signer.until(TokenPresence.READY)
        assert await signer.client.sign(request())


async def test_a_crash_is_survived_and_the_request_is_signed(settings: SignerSettings, shim: Shim) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.crash("C_Sign")
        assert await signer.client.sign(request())
        assert shim.calls("C_Initialize") == 2
        assert not list(marks(settings))


async def test_a_driver_that_always_crashes_backs_off_and_the_state_says_why(
    settings: SignerSettings, shim: Shim
) -> None:
    slow_restart = replace(behind(settings, shim), backoff=timedelta(minutes=5))
    async with running(slow_restart) as signer:
        await signer.until(TokenPresence.READY)
        shim.crash("C_Sign", times=0)
        with pytest.raises(EdocError, match="TOKEN_BROKEN") as caught:
            await signer.client.sign(request())
        assert "signal 6" in caught.value.text("en")
        starts = shim.calls("C_Initialize")
        for _ in range(20):
            with pytest.raises(EdocError, match="TOKEN_BROKEN"):
                await signer.client.sign(request())
        assert shim.calls("C_Initialize") == starts == 2
        assert (await signer.client.state()).presence is TokenPresence.BROKEN


async def test_a_module_that_cannot_be_initialised_is_broken_and_tried_again(
    settings: SignerSettings, shim: Shim
) -> None:
    shim.fail("C_Initialize", 0x05)
    async with running(behind(settings, shim)) as signer:
        assert (await signer.client.state()).presence is TokenPresence.BROKEN
        assert await signer.client.sign(request())


async def test_the_state_is_told_while_the_token_is_at_work(settings: SignerSettings, shim: Shim) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.slow("C_Sign", 500)
        signing = asyncio.ensure_future(signer.client.sign(request()))
        await eventually(lambda: shim.calls("C_Sign") == 1)
        assert (await signer.client.state()).presence is TokenPresence.READY
        assert not signing.done()
        assert await signing
