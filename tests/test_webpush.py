"""Push messages: the examples of the specifications, and that whoever is meant can read whatever is sent."""

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from fedcorp import webpush
from fedcorp.errors import BadRequest
from fedcorp.webpush import MAX_MESSAGE, Receiver
from tests.web.device import CURVE, Device, Service, check_token, decoded, encoded

pytestmark = pytest.mark.once

NOW = 1_700_000_000_000
SALTS = st.binary(min_size=16, max_size=16)


def key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(text), "big"), CURVE)


def device(private: str | None = None, auth: bytes = b"a" * 16) -> Device:
    return Device(Service(), private=private, auth=auth)


def receiver(of: Device) -> Receiver:
    return Receiver(of.point, of.auth)


def test_the_example_of_rfc_8291() -> None:
    """Appendix A."""
    phone = device("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", decoded("BTBZMqHH6r4Tts7J_aSIgg"))
    assert encoded(phone.point) == (
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    )
    text = b"When I grow up, I want to be a watermelon"
    sender, salt = key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), decoded("DGv6ra1nlYgDCS1FRnbzlw")
    body = webpush.encrypt(text, receiver(phone), sender, salt)
    assert encoded(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert phone.decrypt(body) == text


def test_the_example_of_the_draft() -> None:
    """draft-ietf-webpush-encryption-04 section 5."""
    phone = device("9FWl15_QUQAWDaD3k3l50ZBZQJ4au27F1V4F0uLSD_M", decoded("R29vIGdvbyBnJyBqb29iIQ"))
    sender, salt = key("nCScek-QpEjmOOlT-rQ38nZzvdPlqa00Zy0i6m2OJvY"), decoded("lngarbyKfMoi9Z75xYXmkg")
    body = webpush.encrypt_draft(b"I am the walrus", receiver(phone), sender, salt)
    assert encoded(body) == "6nqAQUME8hNqw5J3kl8cpVVJylXKYqZOeseZG8UueKpA"
    assert phone.decrypt_draft(body, webpush.public_point(sender), salt) == b"I am the walrus"


@given(message=st.binary(max_size=MAX_MESSAGE), salt=SALTS, auth=st.binary(min_size=16, max_size=16))
def test_whoever_is_meant_reads_it_and_nobody_else(message: bytes, salt: bytes, auth: bytes) -> None:
    phone, other, sender = device(auth=auth), device(auth=auth), webpush.generate()
    body = webpush.encrypt(message, receiver(phone), sender, salt)
    assert len(body) <= 4096
    assert phone.decrypt(body) == message
    draft = webpush.encrypt_draft(message, receiver(phone), sender, salt)
    point = webpush.public_point(sender)
    assert phone.decrypt_draft(draft, point, salt) == message
    with pytest.raises(InvalidTag):
        other.decrypt(body)
    with pytest.raises(InvalidTag):
        other.decrypt_draft(draft, point, salt)


def test_what_no_service_takes_is_not_made() -> None:
    phone, sender = device(), webpush.generate()
    for encrypt in (webpush.encrypt, webpush.encrypt_draft):
        with pytest.raises(ValueError, match="too long"):
            encrypt(b"x" * (MAX_MESSAGE + 1), receiver(phone), sender, bytes(16))


@pytest.mark.parametrize("standard", [False, True])
def test_every_message_has_a_key_and_a_salt_of_its_own(standard: bool) -> None:
    phone, server = device(), webpush.generate()
    bodies = {
        webpush.sealed(b"same", receiver(phone), server, standard=standard, salt=bytes(16), proof="x")[0]
        for _ in range(3)
    }
    assert len(bodies) == 3


def test_keys_of_apps_come_in_every_notation() -> None:
    phone = device(auth=b"\xff\xfe\xfd" * 5 + b"\x00")
    point, auth = encoded(phone.point), encoded(phone.auth)
    for ends in ("", "=", "=="):
        assert webpush.read_receiver(point + ends, auth + ends) == receiver(phone)
    assert "_" in auth
    other = [text.replace("-", "+").replace("_", "/") for text in (point, auth)]
    assert webpush.read_receiver(*other) == receiver(phone)


@pytest.mark.parametrize(
    "text", ["", "x", "?" * 87, "A" * 86, "A" * 87, "A" * 88, "\uff11" * 87, encoded(b"\x04" * 65)]
)
def test_keys_that_are_none_are_refused(text: str) -> None:
    phone = device()
    with pytest.raises(BadRequest, match="p256dh"):
        webpush.read_receiver(text, encoded(phone.auth))
    with pytest.raises(BadRequest, match="auth"):
        webpush.read_receiver(encoded(phone.point), text)


@given(p256dh=st.text(max_size=100), auth=st.text(max_size=30))
def test_whatever_comes_as_a_key_is_taken_or_refused(p256dh: str, auth: str) -> None:
    try:
        found = webpush.read_receiver(p256dh, auth)
    except BadRequest:
        return
    assert (len(found.point), len(found.auth)) == (65, 16)


@given(path=st.text("abc/?=%", max_size=20), now=st.integers(0, 4_000_000_000_000))
def test_the_token_names_the_service_and_ends_within_a_day(path: str, now: int) -> None:
    server = webpush.generate()
    token = webpush.token(server, f"https://push.example.com:8443/{path}", "mailto:ops@example.com", now)
    point = webpush.public_point(server)
    claims = check_token(token, point, "https://push.example.com:8443", "mailto:ops@example.com")
    assert 0 < claims["exp"] - now // 1000 <= 86_400
    with pytest.raises(InvalidSignature):
        check_token(token, webpush.public_point(webpush.generate()), "", "")


def test_the_servers_key_is_kept_as_text() -> None:
    server = webpush.generate()
    pem = webpush.private_pem(server)
    assert webpush.public_point(webpush.load_private(pem)) == webpush.public_point(server)
    told = webpush.server_key(pem)
    assert len(told) == 88
    assert decoded(told.rstrip("=")) == webpush.public_point(server)
    with pytest.raises(ValueError):
        webpush.load_private(webpush.private_pem(ec.generate_private_key(ec.SECP384R1())))
