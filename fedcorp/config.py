"""The configuration: one frozen value read from a TOML file; every key has a default but the domain.

An unknown key, a wrong type or a missing file is a `ConfigError` of one sentence that names the cause and the cure.
`config.example.toml` lists every key with its default; a test holds the two together.
"""

import ipaddress
import re
import tomllib
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from fedcorp.errors import ConfigError

REACHES = ("department", "company", "partners", "public")
DOCUMENTS = ("privacy_policy", "terms_of_service")
_HOST = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
LOG_LEVELS = ("debug", "info", "warning", "error")
DESCRIPTIONS = ("optional", "remind", "require")


@dataclass(frozen=True, slots=True)
class Server:
    """Where the process listens. `tls_cert` and `tls_key` (PEM files) make it serve https itself. With a `companion`
    a second process does what is due."""

    host: str = "127.0.0.1"
    port: int = 8000
    tls_cert: str = ""
    tls_key: str = ""
    trusted_proxies: tuple[str, ...] = ()
    companion: bool = True


@dataclass(frozen=True, slots=True)
class Federation:
    """Who may talk to this instance and how far what is written here goes by default."""

    mode: str = "closed"
    default_reach: str = ""
    networks: tuple[str, ...] = ()
    insecure_http: bool = False


@dataclass(frozen=True, slots=True)
class Storage:
    """Where rows and files live. Relative paths start at the folder of the configuration file."""

    database: str = "sqlite:///fedcorp.db"
    media: str = "media"
    key: str = "secret.key"


@dataclass(frozen=True, slots=True)
class Posts:
    """What the department asks of posts: whether files may go out without a description."""

    descriptions: str = "optional"


@dataclass(frozen=True, slots=True)
class Push:
    """Which services take notifications to the devices of people. Without one there are no push notifications."""

    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Links:
    """Web pages that this server may ask: for previews of links, and whether they name a profile that names them."""

    previews: bool = False
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Translation:
    """A service of the company that translates and speaks LibreTranslate's API; none without a `url`."""

    url: str = ""
    api_key: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """The one table of limits: bytes, counts and seconds."""

    enabled: bool = True
    api_requests: int = 300
    posts: int = 30
    logins: int = 20
    window_seconds: int = 300
    body_bytes: int = 1_048_576
    media_bytes: int = 16_777_216
    video_bytes: int = 41_943_040
    video_pixels: int = 8_294_400
    video_frame_rate: int = 120
    video_seconds: int = 3600
    video_work_seconds: int = 300
    status_characters: int = 5000
    media_attachments: int = 4
    poll_options: int = 10
    poll_option_characters: int = 100
    peer_requests: int = 300
    peer_backlog: int = 10_000
    signed_at_once: int = 256
    signed_bytes: int = 16_777_216
    key_fetches: int = 8
    header_seconds: int = 10
    body_seconds: int = 20
    connect_seconds: int = 5
    request_seconds: int = 20


@dataclass(frozen=True, slots=True)
class Config:
    """Everything an instance is told from outside. `url` is the public origin when it is not SCHEME://`domain`."""

    domain: str
    name: str = "fedcorp"
    url: str = ""
    description: str = ""
    contact_email: str = ""
    languages: tuple[str, ...] = ("en",)
    rules: tuple[str, ...] = ()
    privacy_policy: str = ""
    terms_of_service: str = ""
    log_level: str = "info"
    server: Server = field(default_factory=Server)
    federation: Federation = field(default_factory=Federation)
    storage: Storage = field(default_factory=Storage)
    posts: Posts = field(default_factory=Posts)
    push: Push = field(default_factory=Push)
    links: Links = field(default_factory=Links)
    translation: Translation = field(default_factory=Translation)
    limits: Limits = field(default_factory=Limits)
    folder: Path = field(default_factory=Path)

    @property
    def origin(self) -> str:
        """scheme://host[:port] under which everybody reaches this instance."""
        return self.url or f"{default_scheme(self)}://{self.domain}"

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL, with a relative SQLite path made absolute."""
        prefix = "sqlite:///"
        url = self.storage.database
        if url.startswith(prefix) and not url.startswith(prefix + "/"):
            return prefix + str((self.folder / url.removeprefix(prefix)).resolve())
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def media_folder(self) -> Path:
        """The folder of uploaded and fetched files."""
        return (self.folder / self.storage.media).resolve()

    def document(self, name: str) -> Path | None:
        """The text file of a document of the department, `privacy_policy` or `terms_of_service`; None without one."""
        file: str = getattr(self, name)
        return (self.folder / file).resolve() if file else None

    @property
    def default_reach(self) -> str:
        """Reach of a post when nobody says otherwise: `company` in closed mode, `public` in open mode."""
        return self.federation.default_reach or ("company" if self.closed else "public")

    @property
    def closed(self) -> bool:
        """Whether only peers that an admin added may federate."""
        return self.federation.mode == "closed"

    @property
    def networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Networks that peers may live in besides the public internet."""
        return tuple(ipaddress.ip_network(text) for text in self.federation.networks)


def default_scheme(config: Config) -> str:
    """http only for names that mean this machine (RFC 6761) and have no certificate; https otherwise."""
    return "http" if is_loopback_name(config.domain) and not config.server.tls_cert else "https"


def is_loopback_name(domain: str) -> bool:
    """Whether a domain (with or without port) is `localhost` or ends in `.localhost`."""
    host = domain.rsplit(":", 1)[0] if not domain.endswith("]") else domain
    return host == "localhost" or host.endswith(".localhost")


def load(path: Path) -> Config:
    """Read a configuration file. Raises ConfigError with one sentence on anything wrong."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist; make it with `fedcorp init`, or name another file with -c."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None
    return parse(values, folder=path.parent, source=str(path))


def parse(values: dict[str, Any], *, folder: Path, source: str = "the configuration") -> Config:
    """Build a Config from parsed TOML. Raises ConfigError."""
    if "domain" not in values:
        raise ConfigError(f"{source} has no key `domain`; add the host name of this department.")
    config: Config = _build(Config, {**values}, source, "")
    config = Config(**{**_shallow(config), "folder": folder})
    _check(config, source)
    return config


def _shallow(value: Any) -> dict[str, Any]:
    return {item.name: getattr(value, item.name) for item in fields(value)}


def _build(kind: Any, values: dict[str, Any], source: str, prefix: str) -> Any:
    hints = get_type_hints(kind)
    known = {item.name: item for item in fields(kind) if item.name != "folder"}
    for key in values:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean `{prefix}{near[0]}`?" if near else f"known keys: {', '.join(sorted(known))}."
            raise ConfigError(f"{source} has an unknown key `{prefix}{key}`; {hint}")
    built = {}
    for name, item in known.items():
        if name in values:
            built[name] = _convert(hints[name], values[name], source, prefix + name)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(f"{source} has no key `{prefix}{name}`.")
    return kind(**built)


def _convert(kind: Any, value: Any, source: str, name: str) -> Any:
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise ConfigError(f"`{name}` in {source} must be a table; write it as [{name}].")
        return _build(kind, value, source, name + ".")
    if get_origin(kind) is tuple:
        (item, _) = get_args(kind)
        if not isinstance(value, list) or not all(type(part) is item for part in value):
            raise ConfigError(f"`{name}` in {source} must be a list of {_words(item)}.")
        return tuple(value)
    if type(value) is not kind:
        raise ConfigError(f"`{name}` in {source} must be {_words(kind)}, not {value!r}.")
    return value


def _words(kind: type) -> str:
    return {str: "text in quotes", int: "a whole number", bool: "true or false"}[kind]


def _check(config: Config, source: str) -> None:
    _check_choice(config.federation.mode, ("closed", "open"), "federation.mode", source)
    _check_choice(config.log_level, LOG_LEVELS, "log_level", source)
    _check_choice(config.posts.descriptions, DESCRIPTIONS, "posts.descriptions", source)
    if config.federation.default_reach:
        _check_choice(config.federation.default_reach, REACHES, "federation.default_reach", source)
    for text in config.federation.networks:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            raise ConfigError(
                f"`federation.networks` in {source} has {text!r}, which is no network like 10.0.0.0/8."
            ) from None
    for text in config.push.services:
        _check_service(text, source)
    for name in config.links.hosts:
        if not _HOST.fullmatch(name):
            raise ConfigError(
                f"`links.hosts` in {source} has {name!r}, which is no host name like wiki.example.com or *.example.com."
            )
    if any(not rule.strip() for rule in config.rules):
        raise ConfigError(f"`rules` in {source} has an empty line; take it out, or write the rule.")
    for name in DOCUMENTS:
        file = config.document(name)
        if file is not None and not file.is_file():
            raise ConfigError(f"`{name}` in {source} names {file}, which is no file; write it, or leave the key empty.")
    if not 0 <= config.server.port <= 65535:
        raise ConfigError(f"`server.port` in {source} must lie between 0 and 65535.")
    if bool(config.server.tls_cert) != bool(config.server.tls_key):
        raise ConfigError(f"`server.tls_cert` and `server.tls_key` in {source} go together; set both or neither.")
    url = config.translation.url
    if url and not re.fullmatch(r"https?://[^/?#@\s]+(/[^?#\s]*)?", url):
        raise ConfigError(f"`translation.url` in {source} must look like https://translate.example.com, not {url!r}.")
    check_domain(config.domain, source)
    _check_origin(config, source)


def _check_choice(value: str, choices: tuple[str, ...], name: str, source: str) -> None:
    if value not in choices:
        raise ConfigError(f"`{name}` in {source} must be one of {', '.join(choices)}, not {value!r}.")


def _check_service(text: str, source: str) -> None:
    name = text.removeprefix("*.")
    try:
        check_domain(name)
        is_name = "*" not in name
    except ConfigError:
        is_name = False
    if not is_name:
        raise ConfigError(
            f"`push.services` in {source} has {text!r}, which is no host name like push.example.com or *.example.com."
        )


def check_domain(domain: str, source: str = "the command") -> None:
    """A domain is a lower-case host name with an optional port, nothing else. Raises ConfigError."""
    parts = urlsplit(f"//{domain}")
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    rebuilt = host if port is None else f"{host}:{port}"
    if not host or rebuilt != domain or any(character.isspace() for character in host):
        raise ConfigError(
            f"`domain` in {source} must be a host name like hr.example.com or hr.localhost:8001, not {domain!r}."
        )


def _check_origin(config: Config, source: str) -> None:
    parts = urlsplit(config.origin)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query or parts.fragment:
        raise ConfigError(
            f"`url` in {source} must look like https://hr.example.com without a path, not {config.url!r}."
        )
    if parts.scheme == "http" and not is_loopback_name(parts.netloc) and not config.federation.insecure_http:
        raise ConfigError(
            f"`url` in {source} is plain http; use https, or set federation.insecure_http for a test network."
        )
