"""A chain holds when every certificate was good at the instant, and revocation is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fakes.sealed import NOW, World, make_world, pin, signed_status
from lab.pki import Issued, Pki

from edoc.model.trust import TrustMaterial
from edoc.model.verdict import CheckResult, Indication, SubIndication
from edoc.signatures.certificates import read_certificate
from edoc.signatures.chain import MAX_SIGNATURES, validate_chain, warm
from edoc.signatures.creation import SealCertificate, check_before_signing
from edoc.signatures.validation import validate_status

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def outcome(issued: Issued, material: TrustMaterial) -> SubIndication | None:
    return validate_chain(read_certificate(issued.der), (), material, material.at).conclusion()[1]


def test_a_good_chain_holds(world: World) -> None:
    assert validate_chain(read_certificate(world.seal.der), (), world.material, NOW).good


def test_certificates_from_the_signature_may_complete_the_chain(world: World) -> None:
    material = replace(world.material, intermediates=())
    leaf, issuing = read_certificate(world.seal.der), read_certificate(world.pki.issuing.der)
    assert not validate_chain(leaf, (), material, NOW).good
    assert validate_chain(leaf, (issuing,), material, NOW).good


def test_an_unknown_anchor_gives_no_chain(world: World) -> None:
    assert outcome(make_world().seal, world.material) is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    assert outcome(world.seal, replace(world.material, anchors=())) is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_an_expired_certificate_is_out_of_bounds(world: World) -> None:
    old = world.pki.seal("H2", "Cũ", kind="ec", not_before=NOW - 9 * DAY, not_after=NOW - DAY)
    assert outcome(old, world.material) is SubIndication.OUT_OF_BOUNDS_NO_POE
    before = replace(world.material, at=NOW - 2 * DAY)
    later_crl = (world.pki.crl(NOW - 2 * DAY), world.pki.root_crl(NOW))
    assert outcome(old, replace(before, crls=later_crl)) is None


def test_a_certificate_that_is_not_valid_yet_is_out_of_bounds(world: World) -> None:
    new = world.pki.seal("H2", "Mới", kind="ec", not_before=NOW + DAY, not_after=NOW + 9 * DAY)
    assert outcome(new, world.material) is SubIndication.OUT_OF_BOUNDS_NO_POE


def test_without_a_crl_the_answer_comes_later(world: World) -> None:
    assert outcome(world.seal, replace(world.material, crls=())) is SubIndication.TRY_LATER
    assert outcome(world.seal, replace(world.material, crls=world.material.crls[:1])) is SubIndication.TRY_LATER


def test_a_stale_crl_does_not_count(world: World) -> None:
    stale = (world.pki.crl(NOW - 30 * DAY), world.pki.root_crl(NOW))
    assert outcome(world.seal, replace(world.material, crls=stale)) is SubIndication.TRY_LATER


def test_a_crl_that_another_authority_signed_does_not_count(world: World) -> None:
    other = Pki.create(NOW)
    forged = (other.crl(NOW), world.pki.root_crl(NOW))
    assert outcome(world.seal, replace(world.material, crls=forged)) is SubIndication.TRY_LATER


def test_garbage_among_the_crls_hides_nothing(world: World) -> None:
    assert outcome(world.seal, replace(world.material, crls=(b"garbage", *world.material.crls))) is None


def revoked_world(at: datetime) -> World:
    world = make_world()
    world.pki.revoke(world.seal.certificate, at)
    crls = (world.pki.crl(NOW), world.pki.root_crl(NOW))
    return replace(world, material=replace(world.material, crls=crls))


def test_a_revoked_certificate_is_indeterminate_without_a_proof_of_existence() -> None:
    world = revoked_world(NOW - HOUR)
    _, verdict = validate_status(signed_status(world.seal), world.material)
    assert (verdict.indication, verdict.sub_indication) == (Indication.INDETERMINATE, SubIndication.REVOKED_NO_POE)


def test_a_later_revocation_does_not_count_against_an_earlier_instant() -> None:
    world = revoked_world(NOW - HOUR)
    assert outcome(world.seal, replace(world.material, at=NOW - 2 * HOUR)) is None


def test_a_revoked_authority_is_told_apart() -> None:
    world = make_world()
    world.pki.revoke(world.pki.issuing.certificate, NOW - DAY)
    material = replace(world.material, crls=(world.pki.crl(NOW), world.pki.root_crl(NOW)))
    assert outcome(world.seal, material) is SubIndication.REVOKED_CA_NO_POE


def test_an_older_good_crl_does_not_hide_a_newer_revocation() -> None:
    world = make_world()
    before = world.pki.crl(NOW - 2 * HOUR)
    world.pki.revoke(world.seal.certificate, NOW - HOUR)
    material = replace(world.material, crls=(before, world.pki.crl(NOW), world.pki.root_crl(NOW)))
    assert outcome(world.seal, material) is SubIndication.REVOKED_NO_POE


def issue(issuer: Issued, name: str, *, authority: bool = False, extension: x509.ExtensionType | None = None) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if extension is not None:
        builder = builder.add_extension(extension, critical=True)
    return Issued(builder.sign(issuer.key, hashes.SHA256()), key)


def test_an_end_entity_cannot_issue(world: World) -> None:
    child = issue(world.seal, "con")
    material = replace(world.material, intermediates=(*world.pki.intermediates, world.seal.der))
    assert outcome(child, material) is SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE


def test_the_path_length_of_an_authority_holds(world: World) -> None:
    below = issue(world.pki.issuing, "cấp dưới", authority=True)  # the issuing CA allows none under it
    leaf = issue(below, "lá")
    material = replace(world.material, intermediates=(*world.pki.intermediates, below.der))
    findings = validate_chain(read_certificate(leaf.der), (), material, NOW)
    assert any(check.id == "x509.path-length" and check.result is CheckResult.FAILED for check in findings.checks)


@pytest.mark.parametrize(
    "extension",
    [
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
        x509.NameConstraints(permitted_subtrees=[x509.DNSName("gov.vn")], excluded_subtrees=None),
    ],
)
def test_a_critical_extension_that_is_not_evaluated_is_refused(extension: x509.ExtensionType, world: World) -> None:
    leaf = issue(world.pki.issuing, "lạ", extension=extension)
    assert outcome(leaf, world.material) is SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE


def test_a_bundle_of_look_alikes_costs_little(world: World) -> None:
    crowd = []
    for _ in range(60):
        key = ec.generate_private_key(ec.SECP256R1())
        name = world.pki.issuing.certificate.subject
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + DAY)
            .sign(key, hashes.SHA256())
        )
        crowd.append(read_certificate(certificate.public_bytes(serialization.Encoding.DER)))
    material = replace(world.material, intermediates=())
    assert len(crowd) > MAX_SIGNATURES
    assert not validate_chain(read_certificate(world.seal.der), crowd, material, NOW).good


def test_a_pinned_anchor_is_its_own_chain(world: World) -> None:
    material = replace(world.material, anchors=(world.seal.der,), crls=())
    assert outcome(world.seal, material) is None


def test_the_certificate_is_checked_before_it_signs(world: World) -> None:
    seal = SealCertificate.read(world.seal.der)
    assert all(check.result is CheckResult.PASSED for check in check_before_signing(seal, world.material))
    late = replace(world.material, at=NOW + 3000 * DAY)
    failed = [check.id for check in check_before_signing(seal, late) if check.result is CheckResult.FAILED]
    assert failed == ["x509.validity"]
    unknown = check_before_signing(seal, replace(world.material, crls=()))
    assert {check.result for check in unknown if check.id == "x509.revocation"} == {CheckResult.UNKNOWN}


def test_a_certificate_for_something_else_may_not_seal(world: World) -> None:
    usage = x509.KeyUsage(
        **{name: name == "key_agreement" for name in (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        )}
    )  # fmt: skip
    other = issue(world.pki.issuing, "khác", extension=usage)
    checks = check_before_signing(SealCertificate.read(other.der), world.material)
    assert [check.id for check in checks if check.result is CheckResult.FAILED] == ["seal.usage"]
    signed = signed_status(other)
    _, verdict = validate_status(signed, world.pinned(pin(other)))
    assert verdict.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE


def test_warming_reads_the_material(world: World) -> None:
    warm(world.material)
    assert outcome(world.seal, world.material) is None
