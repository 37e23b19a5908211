"""Signatures that the specification's own library accepts."""

import base64
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from adaptwin_core.service.webhook_signing import Signer

SIGNER = Signer(SecretStr("0123456789abcdef0123456789abcdef"))
BODY = '{"type": "job.succeeded"}'


def test_the_library_signs_as_the_specification_shows() -> None:
    signature = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), '{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_signed_is_accepted_with_its_secret_only() -> None:
    headers = SIGNER.headers("wh_a", "evt_1", BODY)
    assert Webhook(SIGNER.secret_of("wh_a")).verify(BODY, headers) == {"type": "job.succeeded"}
    with pytest.raises(WebhookVerificationError):
        Webhook(SIGNER.secret_of("wh_b")).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SIGNER.secret_of("wh_a")).verify(BODY.replace("succeeded", "failed"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SIGNER.secret_of("wh_a")).verify(BODY, headers | {"webhook-id": "evt_2"})


def test_a_secret_is_of_one_webhook_and_one_service() -> None:
    secret = SIGNER.secret_of("wh_a")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert secret == SIGNER.secret_of("wh_a")
    assert secret != SIGNER.secret_of("wh_b")
    assert secret != Signer(SecretStr("f" * 32)).secret_of("wh_a")
