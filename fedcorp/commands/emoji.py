"""`fedcorp emoji`: adds, lists and removes the emoji of this department."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from fedcorp.commands.opening import run
from fedcorp.commands.options import DEFAULT, ConfigPath, console
from fedcorp.errors import TooLarge
from fedcorp.social import custom_emojis, images
from fedcorp.social.custom_emojis import MAX_BYTES, CustomEmoji
from fedcorp.storage.database import Database, Tx
from fedcorp.storage.media import MediaFiles

HEADINGS = ("Code", "Category", "Type")

emoji = typer.Typer(help="The emoji of this department.", no_args_is_help=True)


@emoji.command("add")
def add(
    code: Annotated[str, typer.Argument(metavar="CODE", help="What people write between colons, like party.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A small picture: PNG, GIF, WebP, JPEG or AVIF.")],
    config: ConfigPath = DEFAULT,
    category: Annotated[str, typer.Option(metavar="WORDS", help="Where it stands in the picker.")] = "",
) -> None:
    """Give people an emoji, or another picture for a code that they have."""
    code = code.strip(":")
    content = file.read_bytes()
    if len(content) > MAX_BYTES:
        raise TooLarge(f"{file} is too large; an emoji has at most {MAX_BYTES // 1024} KiB.")

    async def work(db: Database) -> None:
        files = MediaFiles(db.site.config.media_folder)
        picture = images.emoji(content)
        key, still_key = await db.read(_new_keys)
        files.put(picture.data, suffix=images.SUFFIXES[picture.mime], key=key)
        files.put(picture.preview, suffix=images.SUFFIXES[picture.preview_mime], key=still_key)
        unused = {key, still_key}
        try:
            unused = await db.write(
                custom_emojis.add, code, key=key, still_key=still_key, mime=picture.mime, category=category
            )
        finally:
            for old in unused:
                files.delete(old)

    run(config, work)
    console.print(f"People can write :{code}: now.")


def _new_keys(tx: Tx) -> tuple[str, str]:
    return tx.clock.random_bytes(16).hex(), tx.clock.random_bytes(16).hex()


@emoji.command("list")
def list_(config: ConfigPath = DEFAULT) -> None:
    """List the emoji of this department."""

    async def work(db: Database) -> list[CustomEmoji]:
        return await db.read(custom_emojis.listing)

    found = run(config, work)
    if not found:
        console.print("There are none; add one with `fedcorp emoji add CODE FILE`.")
        return
    table = Table(*HEADINGS, box=None, pad_edge=False)
    for item in found:
        table.add_row(item.shortcode, escape(item.category), item.mime)
    console.print(table)


@emoji.command("remove")
def remove(
    code: Annotated[str, typer.Argument(metavar="CODE", help="As `fedcorp emoji list` shows it.")],
    config: ConfigPath = DEFAULT,
) -> None:
    """Take an emoji away; in posts its code is text again."""

    async def work(db: Database) -> None:
        for key in await db.write(custom_emojis.remove, code.strip(":")):
            MediaFiles(db.site.config.media_folder).delete(key)

    run(config, work)
    console.print("Removed.")
