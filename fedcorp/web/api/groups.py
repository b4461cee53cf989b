"""fedcorp's own API of groups: find, make, change and end them; join and leave; their ledger. For pages and scripts.

Groups of other departments work alike: what their own server must decide is sent as a signed wish, answered with 202,
and shown under `pending` until it did.
"""

from typing import Any

import orjson
from starlette.responses import Response

from fedcorp import keys
from fedcorp.errors import BadRequest, NotFound
from fedcorp.social import accounts, group_acts, groups, invitations, ledgers, memberships, policy
from fedcorp.social.accounts import Account
from fedcorp.social.groups import Settings
from fedcorp.social.images import avatar, header
from fedcorp.social.pages import Page
from fedcorp.social.visibility import get_shown
from fedcorp.social.wishes import Wish
from fedcorp.storage.database import Tx
from fedcorp.web.api import shown
from fedcorp.web.api.uploads import store
from fedcorp.web.auth import Viewer
from fedcorp.web.call import Call, json
from fedcorp.web.entities import groups as entities
from fedcorp.web.pagination import links, page_of
from fedcorp.web.params import Params
from fedcorp.web.problems import ACCEPTED, OK
