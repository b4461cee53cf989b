"""Object integrity proofs, `eddsa-jcs-2022` (FEP-8b32): a document proves by itself who made it, whoever passes it on.

Pure: signs and verifies dictionaries. Which key belongs to whom, and who may say what, is decided elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fedcorp.activitypub.vocabulary import as_list, format_time, parse_time
from fedcorp.canonical import b58decode, b58encode, jcs, sha256
from fedcorp.keys import PrivateKey, PublicKey
from fedcorp.keys import sign as sign_bytes
from fedcorp.keys import verify as verify_bytes

TYPE = "DataIntegrityProof"
SUITES = ("eddsa-jcs-2022", "jcs-eddsa-2022")  # the second is the name that early implementations used
_NOT_PROVED = ("proof", "signature")  # others add a linked-data signature after the proof


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof of right shape; whether it holds is another question."""

    key_id: str
    created: datetime | None
    expires: datetime | None
    value: bytes
    options: dict[str, Any]


def add_proof(document: dict[str, Any], *, key_id: str, private: PrivateKey, created: datetime) -> dict[str, Any]:
    """A copy of `document` with a proof by the Ed25519 key `key_id`, made at `created`."""
    unproved = _without_proof(document)
    options: dict[str, Any] = {
        "type": TYPE,
        "cryptosuite": SUITES[0],
        "verificationMethod": key_id,
        "proofPurpose": "assertionMethod",
        "created": format_time(created),
    }
    if "@context" in unproved:
        options = {"@context": unproved["@context"], **options}
    value = "z" + b58encode(sign_bytes(private, _hashed(options, unproved)))
    return {**unproved, "proof": {**options, "proofValue": value}}


def proof_of(document: dict[str, Any]) -> Proof | None:
    """The first proof of a suite that we know, if it has the right shape; None otherwise."""
    return next((proof for given in as_list(document.get("proof")) if (proof := _read(given)) is not None), None)


def _read(given: Any) -> Proof | None:
    if not isinstance(given, dict) or given.get("type") != TYPE or given.get("cryptosuite") not in SUITES:
        return None
    key_id, value = given.get("verificationMethod"), given.get("proofValue")
    if given.get("proofPurpose") != "assertionMethod" or not isinstance(key_id, str) or not isinstance(value, str):
        return None
    if not value.startswith("z") or len(value) > 120:
        return None
    try:
        raw = b58decode(value[1:])
    except ValueError:
        return None
    options = {name: part for name, part in given.items() if name != "proofValue"}
    times = parse_time(given.get("created")), parse_time(given.get("expires"))
    if "expires" in given and times[1] is None:
        return None
    return Proof(key_id, *times, raw, options)


def verify_proof(document: dict[str, Any], proof: Proof, public: PublicKey, now: datetime) -> bool:
    """Whether the proof holds for the document and has not expired at `now`."""
    if proof.expires is not None and proof.expires < now:
        return False
    unproved = _without_proof(document)
    context = proof.options.get("@context")
    if context is not None:
        if not _begins_with(as_list(unproved.get("@context")), as_list(context)):
            return False
        unproved["@context"] = context
    try:
        data = _hashed(proof.options, unproved)
    except ValueError:  # lone surrogates and the like: nothing that could have been signed
        return False
    return verify_bytes(public, proof.value, data)


def in_its_context(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the context that it was proved in, where whoever passed it on has left that out: inside another
    document it is said once, and PieFed takes it off. The proof names it, and does not hold in any other."""
    proof = proof_of(document)
    if "@context" in document or proof is None or "@context" not in proof.options:
        return document
    return {"@context": proof.options["@context"], **document}


def _begins_with(whole: list[Any], part: list[Any]) -> bool:
    return whole[: len(part)] == part


def _without_proof(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _NOT_PROVED}


def _hashed(options: dict[str, Any], document: dict[str, Any]) -> bytes:
    """Options first, then the document (FEP-8b32; W3C vc-di-eddsa 3.3.4)."""
    return sha256(jcs(options)) + sha256(jcs(document))
