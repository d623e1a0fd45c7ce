"""The daemon of one office, and its token process: start, signals, watchdog, stop.

Rules: READY when receiving works, whatever the token does.  SIGTERM stops claiming, lets what is under way end, and
closes the journal as clean; what does not end in time is found again by the next start.  A configuration error ends
the process with an exit code of its own, so that the unit does not restart in a loop.

Does not know what the journeys do.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta

import structlog

from edoc import wiring
from edoc.adapters.log_structlog import configure
from edoc.adapters.service_systemd import notify, watchdog_interval
from edoc.config import Config
from edoc.errors import Disposition, EdocError
from edoc.exchange.runner import Crew
from edoc.model.document import Lane
from edoc.model.state import Kind
from edoc.token.server import serve
from edoc.wiring_journeys import Exchange

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CONFIGURATION = 78  # EX_CONFIG: the unit does not restart on it

_STOP_LIMIT = timedelta(seconds=20)
_REFRESH = timedelta(seconds=15)
_PULSE = 0.02  # s
_PULSES_TOLD_EVERY = 60.0  # s
_SIGNING = frozenset({Kind.SUBMISSION, Kind.STATUS})
_MOVING = frozenset({Kind.TRANSFER, Kind.RECEPTION})


def run_daemon(config: Config) -> int:
    """Run the office's daemon until SIGTERM or SIGINT; return the exit code."""
    configure(config.log.format, config.log.level)
    return _run(lambda stopping: _daemon(config, stopping))


def run_signer(config: Config) -> int:
    """Run the office's token process until SIGTERM or SIGINT; return the exit code."""
    configure(config.log.format, config.log.level)
    return _run(lambda stopping: _signer(config, stopping))


Main = Callable[[asyncio.Event], Coroutine[None, None, None]]


def _run(main: Main) -> int:
    log = structlog.get_logger("edoc.daemon")
    errors: list[EdocError] = []
    try:
        asyncio.run(_until_signal(main))
    except* EdocError as group:
        errors = list(_leaves(group))
    for error in errors:
        log.critical("stopped", fault=error.code, cause=error.cause or None)
        print(f"{error.text()}\n→ {error.next_step()}", file=sys.stderr)  # noqa: T201 -- the last word, for a person
    if any(error.fault.disposition is not Disposition.TEMPORARY for error in errors):
        return EXIT_CONFIGURATION
    return EXIT_FAILED if errors else EXIT_OK


def _leaves(group: BaseExceptionGroup[EdocError]) -> Iterator[EdocError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _until_signal(main: Main) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await main(stopping)


async def _signer(config: Config, stopping: asyncio.Event) -> None:
    def beat(line: str) -> None:
        notify("READY=1", f"STATUS={line}", "WATCHDOG=1")

    serving = asyncio.create_task(serve(wiring.signer_settings(config), beat))
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    notify("STOPPING=1")
    stop.cancel()
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def _daemon(config: Config, stopping: asyncio.Event) -> None:
    log = structlog.get_logger("edoc.daemon")
    async with (
        wiring.open_exchange(config, wiring.alarm_to_log, wiring.chance) as exchange,
        asyncio.TaskGroup() as group,
    ):
        await exchange.arrivals.resume()
        working = {
            group.create_task(exchange.runner.run(_crews(config))),
            group.create_task(exchange.intake.run(stopping)),
        }
        for lane in Lane:
            group.create_task(exchange.arrivals.run(lane, config.broker.prefetch))
        background = [group.create_task(task) for task in (_refresh(exchange), _watchdog(), _pulse())]
        notify("READY=1", "STATUS=receiving")
        log.info("started", office=config.organ_id)
        await stopping.wait()
        notify("STOPPING=1")
        exchange.runner.stop()
        _, late = await asyncio.wait(working, timeout=_STOP_LIMIT.total_seconds())
        exchange.arrivals.stop()
        await exchange.broker.close()
        for task in (*late, *background):
            task.cancel()
    log.info("stopped", office=config.organ_id, unfinished=len(late))


def _crews(config: Config) -> tuple[Crew, ...]:
    limits = config.limits
    return tuple(
        Crew(lane=lane, kinds=kinds, workers=workers)
        for lane, workers in ((Lane.URGENT, limits.workers_urgent), (Lane.NORMAL, limits.workers_normal))
        for kinds in (_SIGNING, _MOVING)
    )


async def _refresh(exchange: Exchange) -> None:
    while True:
        await exchange.clock.sleep(_REFRESH)
        await exchange.directory.refresh()


async def _pulse() -> None:
    """Tell how long the event loop made others wait, so that a stall is seen before a user feels it."""
    log = structlog.get_logger("edoc.pulse")
    loop = asyncio.get_running_loop()
    worst, told = 0.0, loop.time()
    try:
        while True:
            asked = loop.time()
            await asyncio.sleep(_PULSE)
            worst = max(worst, loop.time() - asked - _PULSE)
            if loop.time() - told >= _PULSES_TOLD_EVERY:
                log.info("pulse", worst_stall_ms=round(worst * 1000, 1))
                worst, told = 0.0, loop.time()
    finally:
        log.info("pulse", worst_stall_ms=round(worst * 1000, 1))


async def _watchdog() -> None:
    interval = watchdog_interval()
    while interval is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval.total_seconds())
