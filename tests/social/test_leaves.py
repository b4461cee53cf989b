"""Who may answer, like and boost, for every policy and every relation to its author."""

from hypothesis import given
from hypothesis import strategies as st

from fedcorp.social import policy
from fedcorp.social.policy import QuotePolicy

ME, OTHER = 7, 71
words = st.lists(st.sampled_from(("public", "followers", "following", f"@{ME}", f"@{OTHER}")), unique=True).map(tuple)
rules = st.builds(QuotePolicy, words, words)
policies = st.dictionaries(st.sampled_from(policy.ACTS), rules)
acts = st.sampled_from(policy.ACTS)


def expected(given_: dict[str, QuotePolicy], act: str, *, own: bool, named: bool, follows: bool, followed: bool) -> str:
    """As GoToSocial's document says it, word by word: first who is exempt, then the explicit values, then the others.

    What it allows to a collection is allowed once its server says so.
    """
    if own or (named and act == "reply") or act not in given_:
        return "automatic"
    belongs = {"public": True, "followers": follows, "following": followed}
    automatic, manual = given_[act]
    explicit = [kind for kind, listed in (("automatic", automatic), ("manual", manual)) if f"@{ME}" in listed]
    if explicit:
        return explicit[0]
    matched = [word for word in automatic if belongs.get(word)]
    if "public" in matched:
        return "automatic"
    return "manual" if matched or any(belongs.get(word) for word in manual) else "denied"


@given(policies, acts, st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_every_policy_for_every_relation(
    given_: dict[str, QuotePolicy], act: str, own: bool, named: bool, follows: bool, followed: bool
) -> None:
    relation = {"own": own, "named": named, "follows": follows, "followed": followed}
    kept = policy.interaction_policy(given_)
    assert policy.read_interaction_policy(kept) == given_
    assert policy.may_interact(kept, act, account_id=ME, **relation) == expected(given_, act, **relation)


@given(policies, acts, st.booleans(), st.booleans())
def test_following_never_takes_away(given_: dict[str, QuotePolicy], act: str, named: bool, followed: bool) -> None:
    order = ("denied", "manual", "automatic")
    kept = policy.interaction_policy(given_)
    less, more = (
        policy.may_interact(kept, act, account_id=ME, own=False, named=named, follows=follows, followed=followed)
        for follows in (False, True)
    )
    assert order.index(less) <= order.index(more)
