"""PINs on real SoftHSM tokens: a stored one is tried once, whatever happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from contracts.token import request
from fixtures_token import PIN, Seals, behind, eventually, marks, running, seals, settings, shim, shim_module, store_pin
from lab.softhsm import Shim, SoftHsm

from edoc.errors import EdocError
from edoc.model.signing import TokenPresence
from edoc.token.ckr import CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED, TABLE, Reaction
from edoc.token.server import SignerSettings

__all__ = ["seals", "settings", "shim", "shim_module"]  # fixtures

PIN_CODES = sorted(code for code, row in TABLE.items() if row.reaction is Reaction.PIN)


def _wrong(settings: SignerSettings) -> SignerSettings:
    assert settings.pin_file is not None
    store_pin(settings.pin_file, "00000000")
    return settings


@pytest.mark.timeout(240)
async def test_a_wrong_stored_pin_is_tried_once_over_fifty_restarts(settings: SignerSettings, shim: Shim) -> None:
    wrong = _wrong(behind(settings, shim))
    codes = set()
    for _ in range(50):
        async with running(wrong) as signer:
            assert (await signer.client.state()).presence is TokenPresence.PIN_BLOCKED
            with pytest.raises(EdocError) as caught:
                await signer.client.sign(request())
            codes.add(caught.value.code)
    assert shim.calls("C_Login") == 1
    assert codes == {"PIN_BLOCKED"}
    assert list(marks(settings)) == ["refused"]


async def test_the_first_request_learns_that_the_pin_was_refused(settings: SignerSettings, shim: Shim) -> None:
    shim.pull()
    async with running(_wrong(behind(settings, shim))) as signer:
        await signer.until(TokenPresence.ABSENT)
        shim.insert()
        with pytest.raises(EdocError) as caught:
            await signer.client.sign(request())
        assert caught.value.code in {"PIN_REFUSED", "PIN_BLOCKED"}  # the look every 2 s may come first
    assert shim.calls("C_Login") == 1


@pytest.mark.parametrize("code", PIN_CODES, ids=hex)
async def test_every_pin_error_stops_and_stays(settings: SignerSettings, shim: Shim, code: int) -> None:
    shim.fail("C_Login", code)
    for _ in range(2):
        async with running(behind(settings, shim)) as signer:
            assert (await signer.client.state()).presence is TokenPresence.PIN_BLOCKED
    assert shim.calls("C_Login") == 1


@pytest.mark.parametrize("misbehave", ["hang", "crash"])
async def test_a_trial_that_did_not_end_blocks_the_stored_pin(
    settings: SignerSettings, shim: Shim, misbehave: str
) -> None:
    getattr(shim, misbehave)("C_Login")
    for _ in range(2):
        async with running(behind(settings, shim, request_timeout=timedelta(seconds=2))) as signer:
            await signer.until(TokenPresence.PIN_BLOCKED)
    assert shim.calls("C_Login") == 1
    assert list(marks(settings)) == ["trying"]


async def test_a_kill_during_the_trial_blocks_the_stored_pin(settings: SignerSettings, shim: Shim) -> None:
    shim.hang("C_Login")
    async with running(behind(settings, shim)):
        await eventually(lambda: shim.calls("C_Login") == 1)
    async with running(behind(settings, shim)) as signer:
        assert (await signer.client.state()).presence is TokenPresence.PIN_BLOCKED
        assert "nobody knows" in (await signer.client.state()).detail
    assert shim.calls("C_Login") == 1


async def test_a_token_pulled_during_the_login_leaves_the_mark(settings: SignerSettings, shim: Shim) -> None:
    shim.fail("C_Login", 0x32)
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.PIN_BLOCKED)
    assert shim.calls("C_Login") == 1


async def test_a_login_that_never_reached_the_token_leaves_no_mark(settings: SignerSettings, shim: Shim) -> None:
    shim.fail("C_Login", 0xB3)
    async with running(behind(settings, shim)) as signer:
        assert await signer.client.sign(request())
    assert shim.calls("C_Login") == 2


@pytest.mark.parametrize("flag", [CKF_USER_PIN_LOCKED, CKF_USER_PIN_FINAL_TRY], ids=["locked", "final-try"])
async def test_a_flag_of_the_token_stops_a_stored_pin(settings: SignerSettings, shim: Shim, flag: int) -> None:
    shim.flags(flag)
    async with running(behind(settings, shim)) as signer:
        with pytest.raises(EdocError, match="PIN_BLOCKED"):
            await signer.client.sign(request())
        assert shim.calls("C_Login") == 0
        shim.flags(0)
        await signer.client.unlock(PIN)
        assert await signer.client.sign(request())


async def test_typing_the_right_pin_unlocks_and_clears_the_mark(settings: SignerSettings) -> None:
    async with running(_wrong(settings)) as signer:
        await signer.until(TokenPresence.PIN_BLOCKED)
        assert (await signer.client.unlock(PIN)).presence is TokenPresence.READY
        assert await signer.client.sign(request())
        assert not list(marks(settings))
        assert "unlock" in {line["event"] for line in signer.lines}
        assert PIN not in signer.log.getvalue()


async def test_typing_a_wrong_pin_is_refused_once_and_not_kept(settings: SignerSettings, shim: Shim) -> None:
    without = replace(behind(settings, shim), pin_file=None)
    async with running(without) as signer:
        await signer.until(TokenPresence.PIN_NEEDED)
        with pytest.raises(EdocError) as caught:
            await signer.client.unlock("00000000")
        assert caught.value.code == "PIN_REFUSED"
        with pytest.raises(EdocError, match="PIN_BLOCKED"):
            await signer.client.sign(request())
        assert shim.calls("C_Login") == 1
        assert (await signer.client.unlock(PIN)).presence is TokenPresence.READY


async def test_unlocking_a_token_that_is_ready_costs_no_try(settings: SignerSettings, shim: Shim) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        assert (await signer.client.unlock("00000000")).presence is TokenPresence.READY
        assert shim.calls("C_Login") == 1


async def test_saying_that_the_stored_pin_was_replaced_lets_it_be_tried_once(
    settings: SignerSettings, shim: Shim
) -> None:
    wrong = _wrong(behind(settings, shim))
    async with running(wrong) as signer:
        await signer.until(TokenPresence.PIN_BLOCKED)
        with pytest.raises(EdocError, match="PIN_REFUSED"):
            await signer.client.unlock(None)
        assert shim.calls("C_Login") == 2
        assert wrong.pin_file is not None
        store_pin(wrong.pin_file, PIN)
        assert (await signer.client.unlock(None)).presence is TokenPresence.READY
        assert shim.calls("C_Login") == 3


async def test_a_typed_pin_outlives_a_crash_of_the_driver_and_a_pulled_token(
    settings: SignerSettings, shim: Shim
) -> None:
    async with running(replace(behind(settings, shim), pin_file=None)) as signer:
        await signer.client.unlock(PIN)
        shim.crash("C_Sign")
        assert await signer.client.sign(request())
        shim.pull()
        with pytest.raises(EdocError, match="TOKEN_ABSENT"):
            await signer.client.sign(request())
        shim.insert()
        assert await signer.client.sign(request())


async def test_a_typed_pin_does_not_outlive_the_process(settings: SignerSettings) -> None:
    without = replace(settings, pin_file=None)
    async with running(without) as signer:
        await signer.client.unlock(PIN)
    async with running(without) as signer:
        assert (await signer.client.state()).presence is TokenPresence.PIN_NEEDED
    assert all(PIN.encode() not in path.read_bytes() for path in settings.state.iterdir())


async def test_a_typed_pin_is_not_tried_on_another_token(
    settings: SignerSettings, seals: Seals, shim_module: Path, tmp_path: Path
) -> None:
    hsm = SoftHsm(tmp_path / "hsm")
    first = hsm.create_token("con dấu", PIN)
    hsm.import_seal(first.serial, seals.rsa)
    shim = Shim(shim_module, hsm, tmp_path)
    by_label = "pkcs11:token=con%20d%E1%BA%A5u;id=%01"
    async with running(replace(behind(settings, shim), key_uri=by_label, pin_file=None)) as signer:
        await signer.client.unlock(PIN)
        for folder in (tmp_path / "hsm" / "tokens").iterdir():
            folder.rename(tmp_path / folder.name)
        SoftHsm(tmp_path / "hsm").create_token("con dấu", "99999999")
        # SoftHSM calls the missing token a general error, so the next look loads it anew.
        await signer.until(TokenPresence.PIN_NEEDED)
        with pytest.raises(EdocError, match="PIN_NEEDED"):
            await signer.client.sign(request())
    assert shim.calls("C_Login") == 1


async def test_an_unsafe_pin_file_is_not_used(settings: SignerSettings, shim: Shim) -> None:
    assert settings.pin_file is not None
    settings.pin_file.chmod(0o644)
    async with running(behind(settings, shim)) as signer:
        with pytest.raises(EdocError, match="PIN_FILE_UNSAFE"):
            await signer.client.sign(request())
    assert shim.calls("C_Login") == 0


async def test_a_pin_that_was_changed_elsewhere_costs_one_try_with_a_key_that_asks_every_time(
    settings: SignerSettings, seals: Seals, shim_module: Path, tmp_path: Path
) -> None:
    hsm = SoftHsm(tmp_path / "hsm")
    hsm.create_token("t", PIN)
    hsm.import_seal("t", seals.rsa, always_authenticate=True)
    shim = Shim(shim_module, hsm, tmp_path)
    async with running(replace(behind(settings, shim), key_uri=hsm.key_uri("t"))) as signer:
        await signer.until(TokenPresence.READY)
        shim.fail("C_Login", 0xA0)
        with pytest.raises(EdocError, match="PIN_REFUSED"):
            await signer.client.sign(request())
        tries = shim.calls("C_Login")
        with pytest.raises(EdocError, match="PIN_BLOCKED"):
            await signer.client.sign(request())
        assert shim.calls("C_Login") == tries
    assert list(marks(settings)) == ["refused"]
