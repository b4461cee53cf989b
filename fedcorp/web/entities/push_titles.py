"""The one line above a push notification, in the languages that we know. Whoever adds a language adds a table."""

from typing import Final

REACTED: Final = "reaction"
"""The kind of a favourite that is a reaction: the emoji is its second name."""

_ENGLISH: Final = {
    "mention": "{} mentioned you",
    "status": "{} posted",
    "reblog": "{} boosted your post",
    "follow": "{} follows you",
    "follow_request": "{} asks to follow you",
    "favourite": "{} favourited your post",
    REACTED: "{} reacted to your post with {}",
    "poll": "A poll of {} has ended",
    "update": "{} edited a post",
    "quote": "{} quoted your post",
    "quoted_update": "{} edited a post that you quoted",
    "admin.sign_up": "{} signed up",
    "admin.report": "{} made a report",
}
_DUTCH: Final = {
    "mention": "{} heeft je vermeld",
    "status": "{} heeft een bericht geplaatst",
    "reblog": "{} heeft je bericht geboost",
    "follow": "{} volgt jou nu",
    "follow_request": "{} wil jou graag volgen",
    "favourite": "{} heeft je bericht als favoriet gemarkeerd",
    REACTED: "{} reageerde op je bericht met {}",
    "poll": "Een peiling van {} is beëindigd",
    "update": "{} heeft een bericht bewerkt",
    "quote": "{} heeft je bericht geciteerd",
    "quoted_update": "{} heeft een bericht bewerkt dat jij hebt geciteerd",
    "admin.sign_up": "{} heeft zich geregistreerd",
    "admin.report": "{} heeft iets gerapporteerd",
}
_GERMAN: Final = {
    "mention": "{} hat dich erwähnt",
    "status": "{} hat etwas geschrieben",
    "reblog": "{} hat deinen Beitrag geteilt",
    "follow": "{} folgt dir",
    "follow_request": "{} möchte dir folgen",
    "favourite": "{} hat deinen Beitrag favorisiert",
    REACTED: "{} hat auf deinen Beitrag mit {} reagiert",
    "poll": "Eine Umfrage von {} ist beendet",
    "update": "{} hat einen Beitrag bearbeitet",
    "quote": "{} hat deinen Beitrag zitiert",
    "quoted_update": "{} hat einen Beitrag bearbeitet, den du zitiert hast",
    "admin.sign_up": "{} hat sich registriert",
    "admin.report": "{} hat etwas gemeldet",
}
_FRENCH: Final = {
    "mention": "{} vous a mentionné·e",
    "status": "{} a publié un message",
    "reblog": "{} a partagé votre message",
    "follow": "{} vous suit",
    "follow_request": "{} demande à vous suivre",
    "favourite": "{} a ajouté votre message à ses favoris",
    REACTED: "{} a réagi à votre message avec {}",
    "poll": "Un sondage de {} est terminé",
    "update": "{} a modifié un message",
    "quote": "{} a cité votre message",
    "quoted_update": "{} a modifié un message que vous avez cité",
    "admin.sign_up": "{} s'est inscrit·e",
    "admin.report": "{} a fait un signalement",
}
TITLES: Final = {"en": _ENGLISH, "nl": _DUTCH, "de": _GERMAN, "fr": _FRENCH}


def title(language: str, kind: str, *names: str) -> str:
    """The line for a kind of notification, in the language with this code (`nl`, `de-CH`) or else in English."""
    known = TITLES.get(language.replace("_", "-").split("-")[0].lower(), _ENGLISH)
    return known[kind].format(*names)
