"""Consuming one queue, across reconnects.

Rules: the library's callbacks only hand over.  After a failure one message is asked for at a time until one has come
through: a message that breaks the connection is then alone when its deliveries are counted, and only it reaches
the queue's delivery-limit.  A consumer that the broker cancels (its queue was deleted) is a fault, not a reason to
create a queue.

Does not read messages and does not answer them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pamqp import commands

from edoc.adapters.broker_link import LIBRARY_ERRORS, BrokerSettings, Link, isolated
from edoc.errors import EdocError
from edoc.errors import broker as faults
from edoc.ports import Alarm

_WIDENED_WITHIN = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A message as it came, with the channel that it has to be answered on."""

    message: AbstractIncomingMessage
    channel: AbstractChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cautious:
    """A consumer that gets one message at a time, to be replaced by a wide one."""

    channel: AbstractChannel
    queue: AbstractQueue
    tag: str


class Consumer:
    """Takes messages from the queue `name`; `title` is what the connection is called at the broker."""

    def __init__(self, settings: BrokerSettings, title: str, name: str, alarm: Alarm) -> None:
        self._settings = settings
        self._name = name
        self._arrived: asyncio.Queue[Arrived | None] = asyncio.Queue()  # bounded by the prefetch count
        self._cautious: _Cautious | None = None
        self._link = Link(settings, title, name, alarm, self._consume)
        self._link.when_ended(lambda: self._arrived.put_nowait(None))

    async def take(self) -> Arrived | None:
        """Return the next message, or None when the consumer was closed."""
        while (arrived := await self._arrived.get()) is not None:
            if arrived.channel.is_closed:
                continue  # the broker has it back already and delivers it again
            self._link.works()
            await self._widen()
            return arrived
        return None

    async def close(self) -> None:
        """Stop consuming; what is unanswered goes back to the queue.  Idempotent."""
        await self._link.close()

    async def _consume(self, channel: AbstractChannel, end: Callable[[EdocError], None]) -> None:
        async def cancelled(_: commands.Basic.Cancel) -> None:
            end(EdocError(faults.BROKER_NAME_MISSING, cause="consumer cancelled by the broker", name=self._name))

        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(cancelled)
        queue = await channel.get_queue(self._name, ensure=False)
        careful = self._link.failures > 0
        tag = await self._start(channel, queue, 1 if careful else self._settings.prefetch)
        self._cautious = _Cautious(channel=channel, queue=queue, tag=tag) if careful else None

    async def _start(self, channel: AbstractChannel, queue: AbstractQueue, prefetch: int) -> str:
        async def hand_over(message: AbstractIncomingMessage) -> None:
            self._arrived.put_nowait(Arrived(message=message, channel=channel))

        await channel.set_qos(prefetch_count=prefetch)
        return await queue.consume(hand_over)

    async def _widen(self) -> None:
        was, self._cautious = self._cautious, None
        if was is None:
            return

        async def again() -> None:
            # A prefetch count holds for consumers that start after it: replace the consumer.
            await was.queue.cancel(was.tag)
            await self._start(was.channel, was.queue, self._settings.prefetch)

        # On failure the channel is gone, and the link makes another.
        with suppress(*LIBRARY_ERRORS):
            await isolated(again(), _WIDENED_WITHIN)
