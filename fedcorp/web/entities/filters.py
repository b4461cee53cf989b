"""Filters, in the form of today (v2) and in the older one (v1), whose filters are our keywords."""

from typing import Any

from fedcorp.social.filters import Filter, FilteredStatus, Keyword, Match
from fedcorp.web.entities.times import iso_or_none


def _bare(item: Filter) -> dict[str, Any]:
    return {
        "id": str(item.id),
        "title": item.title,
        "context": list(item.contexts),
        "expires_at": iso_or_none(item.expires_at),
        "filter_action": item.action,
    }


def filter_(item: Filter) -> dict[str, Any]:
    """The Filter entity."""
    return _bare(item) | {
        "keywords": [keyword(each) for each in item.keywords],
        "statuses": [filtered_status(each) for each in item.statuses],
    }


def keyword(item: Keyword) -> dict[str, Any]:
    """The FilterKeyword entity."""
    return {"id": str(item.id), "keyword": item.keyword, "whole_word": item.whole_word}


def filtered_status(item: FilteredStatus) -> dict[str, Any]:
    """The FilterStatus entity."""
    return {"id": str(item.id), "status_id": str(item.status_id)}


def filter_result(match: Match) -> dict[str, Any]:
    """The FilterResult entity: why a status is filtered."""
    return {
        "filter": _bare(match.filter),
        "keyword_matches": list(match.keywords) or None,
        "status_matches": [str(id_) for id_ in match.status_ids] or None,
    }


def filter_v1(item: Filter, words: Keyword) -> dict[str, Any]:
    """The V1::Filter entity; `irreversible` is what hides."""
    return {
        "id": str(words.id),
        "phrase": words.keyword,
        "context": list(item.contexts),
        "whole_word": words.whole_word,
        "expires_at": iso_or_none(item.expires_at),
        "irreversible": item.action == "hide",
    }
