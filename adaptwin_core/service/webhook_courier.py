"""Sends deliveries to webhooks. A delivery that failed is sent again after a pause."""

import logging
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import anyio
import httpcore
from sqlalchemy import func

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.states import DeliveryState, next_state
from adaptwin_core.domain.webhooks import pause_s
from adaptwin_core.service import broker, outbox
from adaptwin_core.service.webhook_request import DEADLINE_S, post
from adaptwin_core.service.webhook_signing import Signer
from adaptwin_core.service.webhook_targets import Targets
from adaptwin_core.store.database import Database
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.queries import courier as queries
from adaptwin_core.store.queries import webhooks
from adaptwin_core.store.queries.courier import HeldDelivery

log = logging.getLogger(__name__)

HOLD_S = 120.0  # well over what looking up a name and a request take
UNWANTED: Final = 410  # Gone: by the specification the receiver wants no more, ever


@dataclass(frozen=True)
class Outcome:
    """How a try ended: the status that was answered, and why the event does not count as delivered."""

    status: int | None
    error: str | None


@dataclass(frozen=True)
class Courier:
    """Looks addresses up anew for every try, signs, and sends."""

    targets: Targets
    signer: Signer

    def deliver(self, database: Database, delivery_id: str) -> None:
        """Try a delivery if it is due and nobody else does; how that ended is in the database afterwards."""
        with database.transaction() as session:
            held = queries.claim(session, delivery_id, hold_s=HOLD_S)
        if held is None:
            log.info("delivery %s is not due, or was deleted", delivery_id)
            return
        outcome = self._try(held) if held.is_enabled else Outcome(None, "the webhook is disabled")
        killpoint("delivery_sent")
        with database.transaction() as session:
            webhook = webhooks.locked(session, held.webhook_id)
            if webhook is None:
                return
            # What another address answered says nothing about the one that the owner has given since
            is_unwanted = outcome.status == UNWANTED and webhook.url == held.url
            pause = None if is_unwanted else _pause_s(held, outcome)
            if not queries.settle(session, held, _values(outcome, pause)):
                return
            if is_unwanted:
                log.warning("webhook %s is disabled: its receiver answered %d", webhook.id, UNWANTED)
                webhook.is_enabled = False
            if pause is not None:
                outbox.enqueue(session, broker.TASK_DELIVER, broker.QUEUE_WEBHOOKS, [held.id], delay_s=pause)

    def _try(self, held: HeldDelivery) -> Outcome:
        headers = {
            "content-type": "application/json",
            "user-agent": "AdaPTwin",
            **self.signer.headers(held.webhook_id, held.event_id, held.body),
        }
        try:
            status = anyio.run(post, self.targets.find(held.url), headers, held.body.encode())
        except InvalidInput as refusal:
            return Outcome(None, refusal.message)
        except (TimeoutError, httpcore.TimeoutException):
            return Outcome(None, f"no answer came within {DEADLINE_S:.0f} s")
        except (httpcore.NetworkError, httpcore.ProtocolError) as fault:
            return Outcome(None, f"the connection failed: {str(fault) or type(fault).__name__}")
        except Exception:  # a fault of ours must not stop the schedule
            log.exception("delivery %s could not be sent", held.id)
            return Outcome(None, "the service has a fault: report it with the delivery's id")
        return Outcome(status, _refusal(status))


def _refusal(status: int) -> str | None:
    match status // 100:
        case 2:
            return None
        case 3:
            return f"the receiver answered {status}: redirects are not followed, give the address that they lead to"
    if status == UNWANTED:
        return f"the receiver answered {status}: it wants no more events"
    return f"the receiver answered {status}"


def _pause_s(held: HeldDelivery, outcome: Outcome) -> float | None:
    """Return the pause before the next try; None: this was the last."""
    is_over = outcome.error is None or not held.is_enabled
    pause = None if is_over else pause_s(held.type, held.num_tries)
    # Stretched by chance, so that what failed together does not come back together
    return None if pause is None else pause * random.uniform(1.0, 1.1)  # noqa: S311


def _values(outcome: Outcome, pause: float | None) -> dict[str, Any]:
    told = {"last_status": outcome.status, "last_error": outcome.error}
    if pause is not None:
        return {**told, "due_at": func.now() + timedelta(seconds=pause)}
    state = next_state(DeliveryState.PENDING, "deliver" if outcome.error is None else "fail")
    return {**told, "state": state, "due_at": None, "finished_at": func.now()}
