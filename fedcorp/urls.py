"""Mints and recognises every URI and URL of this instance. Ids on the wire are opaque: names live in handles only.

/actor             the instance actor        /inbox        the shared inbox
/u/ID  /g/ID       a person, a group         /u/ID/{inbox,outbox,followers,following,featured,moderators}
/o/ID              an object                 /o/ID/{replies,likes,shares}
/a/ID              an activity               /t/ID         a thread
/q/ID              the leave to quote a post
/@name  /@name/ID  pages for people          /media/KEY    a file     /tags/NAME
/@name/join/TOKEN  lets people into a group     /collections/ID  accounts that somebody recommends
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_ACTOR = re.compile(r"/(u|g)/(\d{1,19})(?:/([a-z]+))?/?\Z")
_OBJECT = re.compile(r"/o/(\d{1,19})/?\Z")
_ACTIVITY = re.compile(r"/a/(\d{1,19})/?\Z")
_RELAYED = re.compile(r"/g/\d{1,19}/relay/(\d{1,19})/?\Z")
_JOIN = re.compile(r"/@([A-Za-z0-9_.-]+)/join/([A-Za-z0-9_-]+)/?\Z")
_PAGE = re.compile(r"/@([A-Za-z0-9_.-]+)(?:/(\d{1,19}))?/?\Z")


@dataclass(frozen=True, slots=True)
class Urls:
    """Everything under one origin (scheme://host[:port])."""

    origin: str

    @property
    def domain(self) -> str:
        """host[:port]"""
        return urlsplit(self.origin).netloc

    @property
    def host(self) -> str:
        """The domain without a port."""
        return re.sub(r":\d+\Z", "", self.domain)

    @property
    def instance_actor(self) -> str:
        return f"{self.origin}/actor"

    @property
    def shared_inbox(self) -> str:
        return f"{self.origin}/inbox"

    def actor(self, kind: str, id_: int) -> str:
        """URI of a local actor; `kind` is person, group or service."""
        return f"{self.origin}/{'g' if kind == 'group' else 'u'}/{id_}"

    def profile(self, username: str) -> str:
        """The page of a local account."""
        return f"{self.origin}/@{username}"

    def status_page(self, username: str, id_: int) -> str:
        """The page of a local status."""
        return f"{self.origin}/@{username}/{id_}"

    def join_link(self, username: str, token: str) -> str:
        """The page of a local group that lets in whoever holds it."""
        return f"{self.origin}/@{username}/join/{token}"

    def find_join(self, url: str) -> tuple[str, str] | None:
        """(username, secret) of a link that lets people into one of our groups."""
        match = _JOIN.match(self.path(url) or "")
        return (match[1], match[2]) if match else None

    def object(self, id_: int) -> str:
        return f"{self.origin}/o/{id_}"

    def relayed(self, group_uri: str, id_: int) -> str:
        """The id under which a local group says a status to servers that cannot keep it."""
        return f"{group_uri}/relay/{id_}"

    def find_relayed_id(self, uri: str) -> int | None:
        """The id of the status in `/g/ID/relay/STATUS`."""
        match = _RELAYED.match(self.path(uri) or "")
        return int(match[1]) if match else None

    def activity(self, id_: int) -> str:
        return f"{self.origin}/a/{id_}"

    def stamp(self, id_: int) -> str:
        """The leave that one of ours gave to quote a post."""
        return f"{self.origin}/q/{id_}"

    def thread(self, id_: int) -> str:
        return f"{self.origin}/t/{id_}"

    def tag(self, name: str) -> str:
        return f"{self.origin}/tags/{quote(name)}"

    def collection(self, id_: int) -> str:
        """The page of a collection of accounts."""
        return f"{self.origin}/collections/{id_}"

    def media(self, key: str) -> str:
        return f"{self.origin}/media/{key}"

    def owns(self, uri: str) -> bool:
        """Whether a URI lies under this origin."""
        return uri == self.origin or uri.startswith(self.origin + "/")

    def path(self, uri: str) -> str | None:
        """The path of a URI under this origin, without query and fragment."""
        if not self.owns(uri):
            return None
        return uri[len(self.origin) :].split("#", 1)[0].split("?", 1)[0] or "/"

    def find_object_id(self, uri: str) -> int | None:
        """The id in `/o/ID`."""
        match = _OBJECT.match(self.path(uri) or "")
        return int(match[1]) if match else None

    def find_activity_id(self, uri: str) -> int | None:
        """The id in `/a/ID`."""
        match = _ACTIVITY.match(self.path(uri) or "")
        return int(match[1]) if match else None

    def find_actor_id(self, uri: str) -> int | None:
        """The id in `/u/ID` or `/g/ID`, also below it (its followers, say)."""
        match = _ACTOR.match(self.path(uri) or "")
        return int(match[2]) if match else None

    def find_page(self, url: str) -> tuple[str, int | None] | None:
        """(username, status id or None) of a page for people."""
        match = _PAGE.match(self.path(url) or "")
        return (match[1], int(match[2]) if match[2] else None) if match else None


def split_join_link(url: str) -> tuple[str, str] | None:
    """(handle, secret) of a link that lets people into a group of any server: ('chess@finance.localhost', 'x4...')."""
    parts = urlsplit(url)
    match = _JOIN.match(parts.path)
    return (f"{match[1]}@{parts.netloc}", match[2]) if match and parts.netloc else None


def split_handle(handle: str) -> tuple[str, str | None]:
    """('ann', 'finance.localhost:8001') of `@ann@finance.localhost:8001` or `acct:ann@...`; lower-case or None."""
    handle = handle.strip().removeprefix("acct:").lstrip("@")
    username, _, domain = handle.partition("@")
    return username, domain.lower() or None
