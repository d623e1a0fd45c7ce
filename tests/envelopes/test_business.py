"""What a message does with its document is the same in the job, in the envelope and in the receiver's inbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from envelopes.cases import ID, OFFICE

from edoc.envelopes.edxml import read_envelope, write_envelope
from edoc.envelopes.inbox import document_json
from edoc.envelopes.submission import read_submission
from edoc.errors import EdocError
from edoc.model.document import ReceiverChange, Replaced, Update
from edoc.model.identifiers import Sha256

JOB = {
    "number": "7901",
    "notation": "VPCP-TTĐT",
    "type": "Công văn",
    "subject": "Thay thế công văn số 7816",
    "place": "Hà Nội",
    "date": "2026-11-22",
    "recipients": ["H29.12.34"],
    "attachments": [{"file": "cv.pdf", "role": "main"}],
}
REPLACES = [{"document_id": "000.00.00.G22,2018,7001", "recipients": ["000.00.00.H41"]}, {"document_id": "b"}]
UPDATE = {"document": "0", "recipients": "1", "changes": [{"code": "000.00.00.H14", "kind": "1"}, {"code": "H53"}]}


def job(**fields: object) -> bytes:
    return json.dumps(JOB | fields).encode()


def test_replacements_and_updates_arrive_as_they_were_submitted() -> None:
    data = job(business_type="replacement", business_reason="Sai số liệu", replaces=REPLACES, update=UPDATE)
    document = read_submission(data, ID, OFFICE).document
    assert document.replaces == (
        Replaced(document_id="000.00.00.G22,2018,7001", organ_ids=("000.00.00.H41",)),
        Replaced(document_id="b"),
    )
    assert document.update == Update(
        document="0",
        receivers="1",
        changes=(ReceiverChange(organ_id="000.00.00.H14", kind="1"), ReceiverChange(organ_id="H53")),
    )
    sealed = read_envelope(write_envelope(document))
    received = json.loads(document_json(sealed, Sha256("ef" * 32), datetime(2026, 11, 22, tzinfo=UTC)))
    assert received["business_type"] == "replacement"
    assert received["replaces"] == [REPLACES[0], {"document_id": "b", "recipients": []}]
    assert received["update"] == UPDATE | {
        "changes": [{"code": "000.00.00.H14", "kind": "1"}, {"code": "H53", "kind": ""}]
    }


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"replaces": [{"document_id": ""}]}, "$.replaces[0].document_id"),
        ({"replaces": [{"document": "a"}]}, "$.replaces[0]"),
        ({"update": {"receivers": "1"}}, "$.update"),
        ({"update": {"changes": ["H53"]}}, "$.update.changes[0]"),
    ],
)
def test_a_wrong_one_is_refused_with_its_path(fields: dict[str, object], path: str) -> None:
    with pytest.raises(EdocError) as caught:
        read_submission(job(**fields), ID, OFFICE)
    assert (caught.value.code, caught.value.facts["path"]) == ("DESCRIPTION_INVALID", path)
