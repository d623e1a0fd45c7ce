"""The token process on real SoftHSM tokens."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from contracts.token import DOCUMENT, OFFICE, request
from fixtures_token import PIN, Seals, behind, eventually, running, seals, settings, shim, shim_module, store_pin
from lab.softhsm import Shim, SoftHsm

from edoc.adapters.token_check import holds, self_test
from edoc.envelopes.frames import Decoder
from edoc.envelopes.token_frames import AskState, Failed, Sign, answer_of, frame
from edoc.errors import EdocError
from edoc.model.identifiers import DocumentId, OrganId, parse_sha256
from edoc.model.signing import SigningPriority, TokenPresence
from edoc.model.trust import SignatureAlgorithm
from edoc.token.server import SignerSettings
from edoc.token.survey import key_uri_for, survey

__all__ = ["seals", "settings", "shim", "shim_module"]  # fixtures


async def test_every_signature_is_one_line_of_the_log_without_pin_or_whole_digest(settings: SignerSettings) -> None:
    async with running(settings) as signer:
        asked = request()
        await signer.client.sign(asked)
        with pytest.raises(EdocError, match="KEY_NOT_ALLOWED"):
            await signer.client.sign(request(office=OrganId("H99")))
        made, refused = signer.lines
    assert made["event"] == "signature"
    assert (made["office"], made["purpose"], made["document_id"]) == (OFFICE, "document", DOCUMENT)
    assert (made["algorithm"], made["digest"]) == ("rsa-pkcs1-sha256", asked.digest.hex()[:16])
    assert (made["result"], refused["result"], refused["asked_office"]) == ("signed", "KEY_NOT_ALLOWED", "H99")
    assert made["ms"] >= 0
    assert PIN not in signer.log.getvalue()


async def test_urgent_signatures_overtake_normal_ones_and_refusals_come_last(
    settings: SignerSettings, shim: Shim
) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.slow("C_Sign", 300, times=1)
        first = asyncio.ensure_future(signer.client.sign(request(b"0")))
        await eventually(lambda: shim.calls("C_Sign") == 1)
        kinds = [SigningPriority.REFUSAL, SigningPriority.NORMAL, SigningPriority.URGENT] * 2
        await asyncio.gather(first, *[signer.client.sign(request(priority=kind)) for kind in kinds])
        order = [line["priority"] for line in signer.lines[1:]]
    assert order == [0, 0, 1, 1, 2, 2]


async def test_what_a_driver_prints_does_not_reach_the_frames(settings: SignerSettings, shim: Shim) -> None:
    shim.print("C_Initialize")
    shim.print("C_Sign")
    async with running(behind(settings, shim)) as signer:
        for _ in range(3):
            assert await signer.client.sign(request())
        assert shim.calls("C_Sign") == 3


async def test_one_signature_is_one_c_sign(settings: SignerSettings, shim: Shim) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.client.sign(request())
    assert shim.calls("C_Sign") == 1


async def test_a_user_who_is_not_allowed_is_sent_away(settings: SignerSettings) -> None:
    async with running(replace(settings, allowed_uids=frozenset({os.getuid() + 1}))) as signer:
        with pytest.raises(EdocError, match="SIGNER_UNREACHABLE"):
            await signer.client.sign(request())
        assert [line["event"] for line in signer.lines] == ["peer-refused"]
        assert signer.lines[0]["uid"] == os.getuid()


async def test_the_socket_is_ours_alone_and_gone_afterwards(settings: SignerSettings) -> None:
    async with running(settings):
        assert stat.S_IMODE(settings.socket.stat().st_mode) == 0o600
    assert not settings.socket.exists()


async def test_a_socket_left_by_a_killed_process_is_replaced(settings: SignerSettings) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(settings.socket))
    async with running(settings) as signer:
        assert await signer.client.sign(request())


async def test_only_one_process_runs_on_a_state_folder(settings: SignerSettings) -> None:
    async with running(settings) as signer:
        with pytest.raises(EdocError, match="SIGNER_RUNNING"):
            async with running(settings):
                pass
        assert await signer.client.sign(request())


async def test_a_module_that_is_not_on_the_list_is_not_loaded(settings: SignerSettings) -> None:
    with pytest.raises(EdocError, match="MODULE_NOT_ALLOWED"):
        async with running(replace(settings, allowed_modules=(Path("/usr/lib/other.so"),))):
            pass


async def test_a_state_folder_that_others_can_write_is_refused(settings: SignerSettings) -> None:
    settings.state.mkdir()
    settings.state.chmod(0o777)
    with pytest.raises(EdocError, match="SIGNER_MISCONFIGURED"):
        async with running(settings):
            pass


async def test_a_client_that_sends_nonsense_is_cut_off_and_others_are_not(settings: SignerSettings) -> None:
    async with running(settings) as signer:
        for nonsense in (b"\xff\xff\xff\xff", b"\0\0\0\1\xc1", b"\0\0\0\2{}"):
            reader, writer = await asyncio.open_unix_connection(str(settings.socket))
            writer.write(nonsense)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()
        assert await signer.client.sign(request())


@pytest.mark.parametrize(
    "changes",
    [{"purpose": "postcard"}, {"priority": 7}, {"digest": b"short"}, {"document_id": "../../etc"}],
)
async def test_a_request_that_makes_no_sense_is_answered_and_not_signed(
    settings: SignerSettings, changes: dict[str, object]
) -> None:
    fields: dict[str, object] = {
        "id": 9,
        "office": OFFICE,
        "purpose": "check",
        "document_id": DOCUMENT,
        "priority": 1,
        "algorithm": SignatureAlgorithm.RSA_PKCS1_SHA256,
        "digest": b"\0" * 32,
        "wait_ms": 1000,
        **changes,
    }
    async with running(settings):
        reader, writer = await asyncio.open_unix_connection(str(settings.socket))
        writer.write(frame(Sign(**fields)))  # type: ignore[arg-type]  # wrong on purpose
        payload, *_ = Decoder().feed(await reader.read(4096))
        answer = answer_of(payload)
        writer.close()
    assert isinstance(answer, Failed)
    assert answer.id == 9
    assert answer.code in {"FRAME_INVALID", "BAD_IDENTIFIER"}


async def test_requests_of_a_client_that_went_away_are_not_signed(settings: SignerSettings, shim: Shim) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.slow("C_Sign", 200, times=1)
        first = asyncio.ensure_future(signer.client.sign(request()))
        await eventually(lambda: shim.calls("C_Sign") == 1)
        reader, writer = await asyncio.open_unix_connection(str(settings.socket))
        asked = request()
        for number in range(5):
            sign = Sign(number, OFFICE, "check", DOCUMENT, 1, asked.algorithm, asked.digest, 60_000)
            writer.write(frame(sign))
        writer.write(frame(AskState(9)))
        assert await reader.read(1)  # the state was answered, so the requests before it are in the queue
        writer.transport.abort()
        await signer.client.unlock(PIN)  # a round through the queue, after the end of the connection was seen
        assert await first
        assert await signer.client.sign(request())
    assert shim.calls("C_Sign") == 2


async def test_the_process_says_when_it_listens_and_then_that_it_is_well(settings: SignerSettings) -> None:
    async with running(settings) as signer:
        await signer.until(TokenPresence.READY)
        await eventually(lambda: len(signer.said) > 1)
        assert signer.said[-1] == "token ready"


# --- finding the key -------------------------------------------------------------------------------------------------


@pytest.fixture
def hsm(tmp_path: Path, seals: Seals) -> SoftHsm:  # noqa: ARG001 -- skips where SoftHSM is not installed
    """A SoftHSM for tests that put odd things on tokens."""
    return SoftHsm(tmp_path / "hsm")


def _on(settings: SignerSettings, hsm: SoftHsm, key_uri: str, **changes: object) -> SignerSettings:
    return replace(settings, key_uri=key_uri, environment=hsm.environment, **changes)  # type: ignore[arg-type]  # fields


async def test_two_tokens_with_one_label_are_told_apart_by_serial(
    settings: SignerSettings, seals: Seals, hsm: SoftHsm
) -> None:
    first, second = hsm.create_token("con dấu", PIN), hsm.create_token("con dấu", PIN)
    hsm.import_seal(first.serial, seals.rsa)
    hsm.import_seal(second.serial, seals.ec)
    async with running(_on(settings, hsm, hsm.key_uri(second.serial))) as signer:
        assert (await signer.client.state()).serial == second.serial
        assert (await signer.client.state()).certificate == seals.ec.der
    async with running(_on(settings, hsm, "pkcs11:token=con%20d%E1%BA%A5u;id=%01")) as signer:
        with pytest.raises(EdocError) as caught:
            await signer.client.sign(request())
    assert caught.value.code == "KEY_AMBIGUOUS"


async def test_two_keys_on_one_token_are_told_apart_by_id_or_by_name(
    settings: SignerSettings, seals: Seals, hsm: SoftHsm
) -> None:
    serial = hsm.create_token("t", PIN).serial
    hsm.import_seal("t", seals.rsa, b"\x01", name="con dấu cũ")
    hsm.import_seal("t", seals.ec, b"\x02", name="con dấu mới")
    by_name = f"pkcs11:serial={serial};object=con%20d%E1%BA%A5u%20m%E1%BB%9Bi"
    for uri, issued in ((hsm.key_uri("t", b"\x01"), seals.rsa), (by_name, seals.ec)):
        async with running(_on(settings, hsm, uri)) as signer:
            assert (await signer.client.state()).certificate == issued.der


async def test_a_certificate_of_another_key_under_the_same_id_is_not_taken(
    settings: SignerSettings, seals: Seals, hsm: SoftHsm
) -> None:
    hsm.create_token("t", PIN)
    hsm.import_seal("t", seals.pki.seal(OFFICE, "another key"), private_key=False, public_key=False)
    uri = hsm.key_uri("t")
    hsm.import_seal("t", seals.rsa)
    async with running(_on(settings, hsm, uri)) as signer:
        assert (await signer.client.state()).certificate == seals.rsa.der
    strange = parse_sha256("ab" * 32)
    async with running(_on(settings, hsm, uri, certificate_sha256=strange)) as signer:
        state = await signer.client.state()
        assert state.presence is TokenPresence.BROKEN
        assert "pinned certificate" in state.detail
        with pytest.raises(EdocError, match="KEY_NOT_FOUND"):
            await signer.client.sign(request())


async def test_an_ec_key_without_its_public_half_on_the_token_proves_whose_it_is_by_signing(
    settings: SignerSettings, seals: Seals, hsm: SoftHsm
) -> None:
    hsm.create_token("t", PIN)
    other = seals.pki.seal(OFFICE, "another key", kind="ec")
    hsm.import_seal("t", other, private_key=False, public_key=False)
    hsm.import_seal("t", seals.ec, public_key=False)
    async with running(_on(settings, hsm, hsm.key_uri("t"))) as signer:
        assert (await signer.client.state()).certificate == seals.ec.der


async def test_a_key_that_asks_for_its_pin_every_time_signs_twice(
    settings: SignerSettings, seals: Seals, hsm: SoftHsm
) -> None:
    hsm.create_token("t", PIN)
    hsm.import_seal("t", seals.rsa, always_authenticate=True)
    async with running(_on(settings, hsm, hsm.key_uri("t"))) as signer:
        assert (await self_test(signer.client, OFFICE, DOCUMENT)).presence is TokenPresence.READY


async def test_a_token_with_combined_mechanisms_only_is_named_as_such(settings: SignerSettings, shim: Shim) -> None:
    shim.offer(0x40)  # CKM_SHA256_RSA_PKCS
    async with running(behind(settings, shim)) as signer:
        with pytest.raises(EdocError) as caught:
            await signer.client.sign(request())
    assert caught.value.code == "TOKEN_ALGORITHM"
    assert "CKM_SHA256_RSA_PKCS" in caught.value.text("en")


async def test_pss_is_offered_only_where_the_token_has_it(settings: SignerSettings, shim: Shim) -> None:
    shim.offer(0x01)  # CKM_RSA_PKCS
    async with running(behind(settings, shim)) as signer:
        assert (await signer.client.state()).algorithms == (SignatureAlgorithm.RSA_PKCS1_SHA256,)


async def test_a_survey_shows_tokens_and_certificates_without_a_pin(seals: Seals) -> None:
    hsm = seals.hsm
    seen = await survey(hsm.module, (hsm.module,), hsm.environment, timedelta(seconds=30))
    by_label = {token.label: token for token in seen}
    assert set(by_label) == {"rsa", "ec"}
    assert [certificate.der for certificate in by_label["rsa"].certificates] == [seals.rsa.der]
    uri = str(key_uri_for(by_label["rsa"], by_label["rsa"].certificates[0]))
    assert uri == hsm.key_uri("rsa")


async def test_two_token_processes_sign_side_by_side(settings: SignerSettings, seals: Seals) -> None:
    other = replace(
        settings,
        key_uri=seals.hsm.key_uri("ec"),
        socket=settings.socket.with_name("other"),
        state=settings.state.with_name("other-state"),
    )
    ecdsa = SignatureAlgorithm.ECDSA_SHA256
    async with running(settings) as first, running(other) as second:
        asked = [request(bytes([number])) for number in range(10)]
        made = await asyncio.gather(
            *[first.client.sign(each) for each in asked],
            *[second.client.sign(replace(each, algorithm=ecdsa)) for each in asked],
        )
    digests = [each.digest for each in asked]
    pairs = list(zip(digests, made[:10], strict=True))
    assert all(holds(seals.rsa.der, SignatureAlgorithm.RSA_PKCS1_SHA256, *pair) for pair in pairs)
    assert all(holds(seals.ec.der, ecdsa, *pair) for pair in zip(digests, made[10:], strict=True))


def test_the_supervisor_does_not_load_pykcs11() -> None:
    code = "import sys, edoc.token.server, edoc.adapters.token_client; sys.exit('PyKCS11' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_many_documents_are_each_logged_once(settings: SignerSettings) -> None:
    ids = [DocumentId(f"5f0d6c1e-6a0b-4a52-9a52-{number:012x}") for number in range(40)]
    async with running(settings) as signer:
        await asyncio.gather(*[signer.client.sign(request(document_id=each)) for each in ids])
        logged = Counter(line["document_id"] for line in signer.lines)
    assert logged == Counter(ids)


async def test_the_stored_pin_may_be_replaced_while_the_process_runs(settings: SignerSettings) -> None:
    assert settings.pin_file is not None
    settings.pin_file.unlink()
    async with running(settings) as signer:
        assert (await signer.client.state()).presence is TokenPresence.PIN_NEEDED
        store_pin(settings.pin_file, PIN)
        assert await signer.client.sign(request())
