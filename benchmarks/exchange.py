"""The exchange, measured: a document from the spool to its verified signed receipt, all parts real, on this machine.

Prints one JSON object per figure.  Both daemons, their token processes, the broker and this program share the
machine's processors.  Usage: ``.venv/bin/python benchmarks/exchange.py [sustained|idle|slow|large …]``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from lab.documents import Letter
from lab.jobs import Job, JobFile
from lab.measure import Memory, drop, octets, pdf_of, quantiles, wait_delivered
from lab.offices import Network, Office
from lab.softhsm import Shim, build_shim
from lab.units import COMMUNE, DISTRICT

KIB, MIB = 1024, 1024 * 1024
LETTER = Letter(
    agency=COMMUNE.name,
    number="1",
    notation="BC-UBND",
    place=COMMUNE.place,
    day=datetime.now(UTC).date(),
    type_name="Báo cáo",
    subject="Kết quả thực hiện nhiệm vụ tháng",
    signer=COMMUNE.signer,
    position=COMMUNE.position,
    to=(DISTRICT.name,),
)


def main(names: Sequence[str]) -> None:
    """Run the named measurements, or all."""
    for name in names or MEASUREMENTS:
        MEASUREMENTS[name]()


def sustained() -> None:
    """How many documents of 100 KB a second pass, when 300 wait in the spool."""
    count = 300
    with _network() as (sender, _):
        pdf = pdf_of(LETTER, 100 * KIB)
        drop(sender, _jobs("warm", 20, pdf))
        wait_delivered(sender, 20, 60)
        before = _processor_seconds()
        started = drop(sender, _jobs("load", count, pdf))
        seconds = wait_delivered(sender, 20 + count, 300) - started
        used = _processor_seconds() - before
    _tell(
        "exchange of 100 KB documents, sustained",
        documents=count,
        pdf_bytes=len(pdf),
        seconds=round(seconds, 2),
        per_second=round(count / seconds, 1),
        processors_busy=round(used / seconds, 2),
    )


def idle() -> None:
    """How long one document takes when nothing else is under way."""
    with _network() as (sender, _):
        _tell("latency of a single idle document", **_latency(sender, 40))


def slow() -> None:
    """The same when the token needs 500 ms for each signature; and what the event loops did meanwhile."""
    with tempfile.TemporaryDirectory() as folder, _network(Path(folder)) as (sender, receiver):
        figures = _latency(sender, 15)
        receiver.stop()
        sender.stop()
        stalls = {office.code: _worst_stall(office) for office in (sender, receiver)}
    _tell("latency with 500 ms per signature", **figures, worst_event_loop_stall_ms=stalls)


def large() -> None:
    """How much memory the daemons need while an attachment of 200 MB passes."""
    size = 200 * MIB
    with _network() as (sender, receiver):
        drop(sender, _jobs("warm", 3, pdf_of(LETTER, 100 * KIB)))
        wait_delivered(sender, 3, 60)
        pids = {"sender": sender.daemon.pid, "receiver": receiver.daemon.pid}
        memories = {name: Memory(pid) for name, pid in pids.items() if pid is not None}
        annex = JobFile(file="phu-luc.bin", content=octets(size), role="appendix")
        main_file = JobFile(file="van-ban.pdf", content=pdf_of(LETTER, 100 * KIB))
        job = Job(name="large", letter=LETTER, recipients=(DISTRICT.code,), files=(main_file, annex))
        started = drop(sender, [job])
        seconds = wait_delivered(sender, 4, 300) - started
        for memory in memories.values():
            memory.close()
    _tell(
        "a 200 MB attachment passes",
        seconds=round(seconds, 1),
        peak_rss_mib={
            name: {
                "daemon": memory.peak_self // MIB,
                "largest_child": memory.peak_child // MIB,
                "together": memory.peak_sum // MIB,
            }
            for name, memory in memories.items()
        },
    )


MEASUREMENTS = {"sustained": sustained, "idle": idle, "slow": slow, "large": large}


@contextmanager
def _network(shim: Path | None = None) -> Iterator[tuple[Office, Office]]:
    """Yield sender and receiver of a network of two offices; with `shim`, their tokens take 500 ms a signature."""
    with tempfile.TemporaryDirectory() as folder:
        network = Network(Path(folder), (COMMUNE, DISTRICT))
        try:
            network.prepare()
            for number, office in enumerate(network):
                changes: dict[str, dict[str, object]] = {"policy": {"max_file_bytes": 300 * MIB}}
                if shim is not None:
                    (shim / str(number)).mkdir()
                    module = Shim(build_shim(shim / str(number)), office.hsm, shim / str(number))
                    module.slow("C_Sign", 500)
                    changes["token"] = {"module": str(module.module), "environment": module.environment}
                office.configure(network.node, network.trust, administers=False, **changes)
            network.start()
            yield network.office(COMMUNE), network.office(DISTRICT)
        finally:
            network.stop()


def _jobs(prefix: str, count: int, pdf: bytes) -> list[Job]:
    return [
        Job(
            name=f"{prefix}-{number}",
            letter=LETTER,
            recipients=(DISTRICT.code,),
            files=(JobFile(file="van-ban.pdf", content=pdf),),
        )
        for number in range(count)
    ]


def _latency(sender: Office, count: int) -> dict[str, object]:
    pdf = pdf_of(LETTER, 100 * KIB)
    seconds = []
    for number, job in enumerate(_jobs("one", count + 3, pdf), 1):
        started = drop(sender, [job])
        seconds.append(wait_delivered(sender, number, 60, every=0.002) - started)
        time.sleep(0.05)  # idle means idle: the last status file has been written, nothing is under way
    median, high, worst = quantiles(seconds[3:])
    return {
        "documents": count,
        "p50_seconds": round(median, 3),
        "p95_seconds": round(high, 3),
        "max_seconds": round(worst, 3),
    }


def _worst_stall(office: Office) -> float:
    lines = (office.folder / "log" / "daemon.log").read_text(encoding="utf-8").splitlines()
    pulses = [json.loads(line) for line in lines if '"event":"pulse"' in line]
    return max(float(pulse["worst_stall_ms"]) for pulse in pulses)


def _processor_seconds() -> float:
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    busy = sum(map(int, fields)) - int(fields[3]) - int(fields[4])  # all but idle and waiting for the disk
    return busy / os.sysconf("SC_CLK_TCK")


def _tell(what: str, **figures: object) -> None:
    facts: Mapping[str, object] = {"what": what, "processors": len(os.sched_getaffinity(0)), **figures}
    print(json.dumps(facts, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
