"""CAdES and PAdES signatures: the facts of one CMS SignedData.

Rules: without signed attributes, without message-digest, or without ESS signing-certificate-v2 there is no baseline
signature.  The certificate that verifies is the one that the signed attributes bind, and no other.

Does not look at PDFs or trust: see ``validate_pades`` and ``judgement``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeAlias

from edoc.model.identifiers import Sha256
from edoc.model.verdict import SubIndication
from edoc.signatures.algorithms import DIGEST_BITS, verify_message
from edoc.signatures.certificates import Certificate
from edoc.signatures.cms import CertificateBinding, CmsSignature
from edoc.signatures.facts import CRYPTO_CLAUSE, FORMAT_CLAUSE, SIGNER_CLAUSE, SignatureFacts
from edoc.signatures.findings import Findings

Digester: TypeAlias = Callable[[str], bytes]
"""Return the digest of the signed content by hashlib's name of the algorithm."""


def cms_facts(cms: CmsSignature, content: bytes | Digester | None, *, form: str, scope: str) -> SignatureFacts:
    """Return the facts of `cms` over `content`: octets, a function that digests a stream, None when not at hand.

    `form` is CAdES, PAdES or RFC 3161.  Clauses: EN 319 102-1, 5.2.2, 5.2.3, 5.2.7; EN 319 122-1, 6.3.
    """
    findings = Findings()
    known = _check_format(cms, form, findings)
    certificate = _signing_certificate(cms, form, findings)
    intact = known and _check_content(cms, content, findings)
    intact = _check_value(cms, certificate, findings) and intact
    return SignatureFacts(
        format=form,
        scope=scope,
        findings=findings,
        certificate=certificate,
        extra=cms.certificates,
        algorithm=cms.algorithm,
        signing_time=cms.signing_time,
        signature_sha256=Sha256(hashlib.sha256(cms.value).hexdigest()),
        crypto_intact=intact,
        baseline=bool(cms.bindings) and intact,
        stamped=cms.value,
        timestamps=cms.timestamps,
    )


def _check_format(cms: CmsSignature, form: str, findings: Findings) -> bool:
    """Check structure and algorithms; return whether the content's digest can be taken at all."""
    if not cms.signed_attributes or not cms.message_digest:
        findings.failed("format", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, "no signed attributes")
        return False
    wanted = "tst_info" if form == "RFC 3161" else "data"
    if not cms.content_type == cms.attribute_content_type == wanted:
        detail = f"content is {cms.content_type}, signed attributes say {cms.attribute_content_type or 'nothing'}"
        findings.failed("format", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)
        return False
    findings.passed("format", FORMAT_CLAUSE, form)
    if cms.digest_name not in DIGEST_BITS or cms.algorithm is None:
        sub = SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
        detail = f"{cms.algorithm_name} with {cms.digest_name} is not allowed"
        findings.refused("algorithm", "EN 319 102-1, 5.2.8", sub, detail)
        return cms.digest_name in DIGEST_BITS
    return True


def _signing_certificate(cms: CmsSignature, form: str, findings: Findings) -> Certificate | None:
    """Return the certificate that identifier and signed attribute name (EN 319 102-1, 5.2.3.4)."""
    if cms.signer is None:
        sub = SubIndication.NO_SIGNING_CERTIFICATE_FOUND
        findings.unknown("signing-certificate", SIGNER_CLAUSE, sub, "the signer's certificate is not in the signature")
        return None
    if not cms.bindings and form == "PKCS#7":
        # The older PDF format knows no such attribute; it is no baseline signature, and the report says so.
        findings.noted("signing-certificate", SIGNER_CLAUSE, "named by issuer and serial only")
        return cms.signer
    if not cms.bindings:
        sub = SubIndication.SIG_CONSTRAINTS_FAILURE
        findings.refused("signing-certificate", SIGNER_CLAUSE, sub, "no ESS signing-certificate-v2 attribute")
        return cms.signer
    if not _binds(cms.bindings[0], cms.signer):  # the first one is the signer's (RFC 5035, 3)
        sub = SubIndication.NO_SIGNING_CERTIFICATE_FOUND
        detail = "signing-certificate-v2 names another certificate, or by a digest that is not allowed"
        findings.unknown("signing-certificate", SIGNER_CLAUSE, sub, detail)
        return cms.signer
    findings.passed("signing-certificate", SIGNER_CLAUSE, cms.signer.subject_text)
    return cms.signer


def _binds(binding: CertificateBinding, certificate: Certificate) -> bool:
    if binding.digest_name not in DIGEST_BITS:
        return False
    if hashlib.new(binding.digest_name, certificate.der).digest() != binding.digest:
        return False
    return binding.issuer_serial in {None, certificate.issuer_serial}


def _check_content(cms: CmsSignature, content: bytes | Digester | None, findings: Findings) -> bool:
    if content is None:
        sub = SubIndication.SIGNED_DATA_NOT_FOUND
        findings.unknown("reference", CRYPTO_CLAUSE, sub, "the signed content is not at hand")
        return False
    digest = hashlib.new(cms.digest_name, content).digest() if isinstance(content, bytes) else content(cms.digest_name)
    if digest != cms.message_digest:
        findings.failed("reference", CRYPTO_CLAUSE, SubIndication.HASH_FAILURE, "the content was changed")
        return False
    findings.passed("reference", CRYPTO_CLAUSE, f"{cms.digest_name} of the content")
    return True


def _check_value(cms: CmsSignature, certificate: Certificate | None, findings: Findings) -> bool:
    if certificate is None or cms.algorithm is None or not cms.signed_attributes:
        return False
    if not verify_message(certificate.key, cms.algorithm, cms.signed_attributes, cms.value):
        detail = "the signature value does not hold"
        findings.failed("signature-value", CRYPTO_CLAUSE, SubIndication.SIG_CRYPTO_FAILURE, detail)
        return False
    findings.passed("signature-value", CRYPTO_CLAUSE, str(cms.algorithm))
    return True
