"""The rules a document must keep, on its way out and on its way in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.values import COMMUNE, DISTRICT, LEVELS, PROVINCE, document, job_file, office, signature, submission, verdict

from edoc.errors import EdocError
from edoc.exchange.rules import accepted, admit, check_submission, match_files, undecided
from edoc.model.document import Submission
from edoc.model.identifiers import OrganId, sha256_of
from edoc.model.verdict import Indication, SubIndication, Verdict

STRANGER = OrganId("H99.99")


def refusal_of(asked: Submission, talk: frozenset[tuple[str, str]] | None = None) -> str:
    with pytest.raises(EdocError) as caught:
        check_submission(asked, office(talk=talk), LEVELS.get)
    return caught.value.code


def to(*recipients: OrganId) -> Submission:
    return replace(submission("a.pdf"), document=document(recipients=recipients))


class TestOutgoing:
    def test_a_document_to_a_known_office_may_leave(self) -> None:
        check_submission(to(DISTRICT, PROVINCE), office(), LEVELS.get)

    def test_our_own_code_as_sender_is_fine(self) -> None:
        check_submission(replace(to(DISTRICT), claimed_sender=COMMUNE), office(), LEVELS.get)

    def test_another_offices_from_is_refused(self) -> None:
        assert refusal_of(replace(to(DISTRICT), claimed_sender=DISTRICT)) == "SENDER_MISMATCH"

    def test_a_secret_document_never_leaves(self) -> None:
        assert refusal_of(replace(to(DISTRICT), secrecy="MẬT")) == "SECRET_DOCUMENT"

    def test_a_document_without_recipient_is_refused(self) -> None:
        assert refusal_of(to()) == "RECIPIENT_MISSING"

    def test_an_unknown_recipient_is_refused_by_name(self) -> None:
        assert refusal_of(to(DISTRICT, STRANGER)) == "RECIPIENT_UNKNOWN"

    def test_ourselves_as_recipient_is_refused(self) -> None:
        assert refusal_of(to(COMMUNE)) == "RECIPIENT_SELF"

    def test_a_level_we_may_not_write_to_is_refused(self) -> None:
        assert refusal_of(to(PROVINCE), talk=frozenset({("commune", "district")})) == "LEVEL_FORBIDDEN"


class TestFiles:
    def test_files_come_in_the_order_of_the_description(self) -> None:
        matched = match_files(submission("b.pdf", "a.pdf"), [job_file("a.pdf"), job_file("b.pdf")])
        assert [file.name for _, file in matched] == ["b.pdf", "a.pdf"]

    @pytest.mark.parametrize(
        ("declared", "present", "code"),
        [
            (["a.pdf"], [], "ATTACHMENT_MISSING"),
            (["a.pdf"], ["a.pdf", "forgotten.xlsx"], "ATTACHMENT_UNDECLARED"),
            ([], ["a.pdf"], "ATTACHMENT_NONE"),
        ],
    )
    def test_the_description_and_the_folder_agree_exactly(
        self, declared: list[str], present: list[str], code: str
    ) -> None:
        with pytest.raises(EdocError, match=code):
            match_files(submission(*declared), [job_file(name) for name in present])

    def test_a_file_with_another_digest_is_not_the_declared_one(self) -> None:
        asked = submission("a.pdf")
        asked = replace(asked, files=(replace(asked.files[0], sha256=sha256_of(b"another")),))
        with pytest.raises(EdocError, match="ATTACHMENT_DIGEST"):
            match_files(asked, [job_file("a.pdf")])


class TestAdmission:
    def test_what_its_sender_brought_to_us_is_admitted(self) -> None:
        assert admit(document(), COMMUNE, office(DISTRICT), LEVELS.get).admitted

    @pytest.mark.parametrize(
        ("attested", "ours", "code"),
        [
            (PROVINCE, DISTRICT, "SENDER_NOT_ATTESTED"),
            (COMMUNE, PROVINCE, "NOT_FOR_US"),
        ],
    )
    def test_everything_else_is_not(self, attested: OrganId, ours: OrganId, code: str) -> None:
        admission = admit(document(), attested, office(ours), LEVELS.get)
        assert admission.fault is not None
        assert admission.fault.code == code

    def test_a_stranger_is_not_admitted_even_with_a_good_seal(self) -> None:
        admission = admit(document(sender=STRANGER), STRANGER, office(DISTRICT), LEVELS.get)
        assert admission.fault is not None
        assert admission.fault.code == "SENDER_UNKNOWN"

    def test_levels_are_checked_by_the_recipient_too(self) -> None:
        ours = office(DISTRICT, talk=frozenset({("province", "district")}))
        admission = admit(document(), COMMUNE, ours, LEVELS.get)
        assert admission.fault is not None
        assert admission.fault.code == "LEVEL_FORBIDDEN"


BROKEN_PDF = signature("attachments/1.pdf", Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE)
UNKNOWN_PERSON = signature("attachments/1.pdf", Indication.INDETERMINATE, SubIndication.NO_CERTIFICATE_CHAIN_FOUND)
TRY_LATER = signature(indication=Indication.INDETERMINATE, sub_indication=SubIndication.TRY_LATER)
NO_PIN = signature(indication=Indication.INDETERMINATE, sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE)


class TestVerdict:
    @pytest.mark.parametrize("passed", [verdict(signature()), verdict(signature(), UNKNOWN_PERSON)])
    def test_the_packages_own_seal_decides(self, passed: Verdict) -> None:
        assert accepted(passed)

    @pytest.mark.parametrize(
        "refused",
        [verdict(), verdict(UNKNOWN_PERSON), verdict(NO_PIN), verdict(TRY_LATER), verdict(signature(), BROKEN_PDF)],
    )
    def test_no_seal_a_doubtful_seal_and_a_broken_signature_inside_are_not_accepted(self, refused: Verdict) -> None:
        assert not accepted(refused)

    def test_only_missing_revocation_data_leaves_a_seal_open(self) -> None:
        assert undecided(verdict(TRY_LATER))
        assert not undecided(verdict(NO_PIN))
        assert not undecided(verdict(signature()))
        assert not undecided(verdict(TRY_LATER, BROKEN_PDF))
        assert not undecided(verdict())
