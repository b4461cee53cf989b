"""The doctor's look at what lies on this machine: disk, programs, database, certificate, keys, work that nobody does,
and groups whose history is in doubt.
"""

import shutil
from pathlib import Path

import sqlalchemy as sa
from cryptography import x509

from fedcorp.clock import Clock
from fedcorp.commands.findings import FAULT, NOTE, WARNING, Finding
from fedcorp.commands.opening import check_exists
from fedcorp.config import Config
from fedcorp.errors import ConfigError, NotFound
from fedcorp.social import accounts, effects, films
from fedcorp.storage import health, jobs, schema, sealed
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.tables import accounts as accounts_table
from fedcorp.storage.tables import events, inbox, keys, ledger_heads
from fedcorp.storage.tables import jobs as jobs_table

LOCK_SECONDS = 3.0
LEAST_FREE, LEAST_FREE_BYTES, ENOUGH_BYTES = 0.05, 1 << 30, 5 << 30
LATE_MS = 300_000
CERTIFICATE_DAYS = 21


def examine_disk(config: Config) -> list[Finding]:
    """Disks nearly full: below a twentieth or below one gibibyte, unless more than five are left."""
    found: dict[str, Finding] = {}
    for folder in (config.folder.resolve(), config.media_folder):
        place = next(path for path in (folder, *folder.parents) if path.exists())
        usage = shutil.disk_usage(place)
        least = max(usage.total * LEAST_FREE, min(LEAST_FREE_BYTES, usage.total // 2))
        if usage.free < min(least, ENOUGH_BYTES):
            left = f"{usage.free / 2**20:,.0f} MiB of {usage.total / 2**20:,.0f} MiB"
            text = f"the disk of {place} is nearly full: {left} are left"
            cure = "free space or enlarge the disk; a full disk stops every post and every delivery."
            found[str(usage)] = Finding("disk-nearly-full", WARNING, text, cure)
    return list(found.values())


def examine_programs(config: Config) -> list[Finding]:
    """What is not installed, though the configuration counts on it: no fault, since everything else works."""
    if config.limits.video_bytes == 0 or films.find_tools() is not None:
        return []
    text = "ffmpeg and ffprobe are not both on the path, so video and sound are refused; pictures work"
    cure = "install ffmpeg and restart the server, or say limits.video_bytes = 0 when only pictures are wanted."
    return [Finding("ffmpeg-missing", NOTE, text, cure)]


def examine_database(config: Config) -> list[Finding]:
    """A database that is missing, newer, older, damaged or locked by somebody."""
    try:
        check_exists(config)
    except ConfigError as error:
        text, _, cure = error.text.partition("; ")
        return [Finding("database-missing", FAULT, text, cure, stops=True)]
    db = Database(config, Clock(), effects.apply)
    try:
        return _examine_tables(db)
    except ConfigError as error:
        text, _, cure = error.text.rpartition("; ")
        return [Finding("database-unreachable", FAULT, text, cure, stops=True)]
    finally:
        db.close()


def _examine_tables(db: Database) -> list[Finding]:
    match schema.revision_state(db.engine):
        case "newer":
            text = "the database was made by a newer version of fedcorp"
            cure = "install that version again; an older one must not touch it."
            return [Finding("database-newer", FAULT, text, cure, stops=True)]
        case "empty":
            cure = "make the instance with `fedcorp init`, or correct storage.database."
            return [Finding("database-empty", FAULT, "the database has no tables", cure, stops=True)]
        case "older":
            text = "the database is of an older version"
            return [
                Finding("database-older", WARNING, text, "restart `fedcorp serve`; it upgrades the tables.", stops=True)
            ]
    found = []
    lock = health.find_lock(db.url, LOCK_SECONDS)
    if lock:
        text = f"nothing could be written for {LOCK_SECONDS:.0f} seconds: {lock}"
        cure = "find the program that holds the database open (a backup? a shell?) and end it."
        found.append(Finding("database-locked", FAULT, text, cure))
    damage = health.find_damage(db.engine)
    if damage:
        text = f"the database file is damaged: {damage.splitlines()[0]}"
        found.append(Finding("database-damaged", FAULT, text, "stop the server and restore the last backup."))
    return found


def examine_key_file(config: Config) -> list[Finding]:
    """The file of the key that opens the secrets, when others on this machine can read it."""
    path = sealed.find_file(config)
    if path is None or not path.exists() or not path.stat().st_mode & 0o077:
        return []
    text = f"others on this machine may read {path}, whose key opens the secrets in the database"
    return [Finding("sealing-key-readable", WARNING, text, f"chmod 600 {path}")]


def examine_secrets(db: Database) -> list[Finding]:
    """Start the database; secrets that no key here opens are a fault."""
    try:
        db.start()
    except ConfigError as error:
        text, _, cure = error.text.partition("; ")
        return [Finding("secrets-sealed", FAULT, text, cure, stops=True)]
    return []


def examine_certificate(config: Config, clock: Clock) -> list[Finding]:
    """Our own certificate: unreadable, or about to end."""
    if not config.server.tls_cert:
        return []
    path = Path(config.folder / config.server.tls_cert)
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        return [Finding("certificate-unreadable", FAULT, f"{path} cannot be used: {error}", "correct server.tls_cert.")]
    days = (certificate.not_valid_after_utc - clock.now()).days
    if days >= CERTIFICATE_DAYS:
        return []
    text = f"the certificate {path} ends in {days} days" if days >= 0 else f"the certificate {path} has ended"
    return [Finding("certificate-ends", WARNING if days >= 0 else FAULT, text, "renew it and restart the server.")]


def examine_rows(tx: Tx) -> list[Finding]:
    """Keys that are missing, work that nobody does, groups whose history is in doubt."""
    return [*_examine_keys(tx), *_examine_work(tx), *_examine_groups(tx)]


def _examine_groups(tx: Tx) -> list[Finding]:
    found = []
    for group_id in list(tx.conn.execute(sa.select(ledger_heads.c.group_id).where(_FORKED)).scalars()):
        group = accounts.get(tx, group_id)
        text = f"the group @{group.handle} showed two different histories to departments"
        cure = "ask the administrators of its department what happened, then `fedcorp group settle`."
        found.append(Finding("group-forked", FAULT, text, cure))
    return found


_FORKED = ledger_heads.c.forked_at.is_not(None)


def _examine_keys(tx: Tx) -> list[Finding]:
    cure = "restore the database from a backup that has the keys; without them no other server believes us."
    try:
        actor = accounts.instance_actor(tx)
    except NotFound:
        text = f"there is no instance actor for {tx.site.urls.origin}"
        cure = "correct domain and url in the configuration to what they were at `fedcorp init`."
        return [Finding("key-missing", FAULT, text, cure)]
    missing = [kind for kind in ("rsa", "ed25519") if kind not in accounts.signing_keys(tx, actor.id)]
    if missing:
        return [Finding("key-missing", FAULT, f"the server's {' and '.join(missing)} key is missing", cure)]
    held = sa.select(keys.c.account_id).where(keys.c.kind == "rsa", keys.c.private.is_not(None))
    local = sa.and_(accounts_table.c.local, accounts_table.c.deleted_at.is_(None), accounts_table.c.id.not_in(held))
    count = tx.conn.execute(sa.select(sa.func.count()).where(local)).scalar_one()
    if count:
        return [Finding("key-missing", FAULT, f"{count} accounts of this department have no private key", cure)]
    return []


def _examine_work(tx: Tx) -> list[Finding]:
    found = []
    oldest = [
        tx.conn.execute(sa.select(sa.func.min(inbox.c.received_at)).where(inbox.c.state == "new")).scalar(),
        tx.conn.execute(sa.select(sa.func.min(events.c.created_at))).scalar(),
    ]
    waiting = min((at for at in oldest if at is not None), default=None)
    if waiting is not None and waiting < tx.ms - LATE_MS:
        text = f"the oldest work has waited for {(tx.ms - waiting) // 60_000} minutes"
        cure = "start `fedcorp serve` without --no-worker, or `fedcorp work`; look into its log."
        found.append(Finding("worker-behind", WARNING, text, cure))
    given_up = sa.select(sa.func.count()).where(jobs_table.c.attempts >= jobs.MAX_ATTEMPTS)
    count = tx.conn.execute(given_up).scalar_one()
    if count:
        text = f"{count} jobs failed {jobs.MAX_ATTEMPTS} times and were given up"
        found.append(Finding("jobs-given-up", WARNING, text, "read the column `error` of the table `jobs`."))
    return found
