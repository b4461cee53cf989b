"""Media rows: uploads, what posts show, what other servers attach, and what is left over."""

from dataclasses import replace

import orjson
import pytest

from fedcorp.errors import NotFound, Unprocessable
from fedcorp.social import media, statuses
from fedcorp.social.media import Media, RemoteMedia
from fedcorp.storage import jobs
from tests.social.conftest import Department

pytestmark = pytest.mark.anyio


async def upload(department: Department, owner_id: int, key: str = "a" * 16) -> Media:
    return await department.do(
        media.create, account_id=owner_id, kind="image", mime="image/png", key=key, preview_key=key + "p",
        description="a cat", sizes={"original": {"width": 1, "height": 2}}, bytes=9,
    )  # fmt: skip


async def test_upload_and_change(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    file = await upload(department, ann.id)
    changed = await department.do(media.update, ann.id, file.id, description="a dog", focus=(0.5, -1))
    assert changed.description == "a dog"
    assert orjson.loads(changed.sizes) == {"original": {"width": 1, "height": 2}, "focus": {"x": 0.5, "y": -1}}
    for key in ("a" * 16, "a" * 16 + "p"):
        assert await department.see(media.find_by_key, key) == changed
    with pytest.raises(NotFound):
        await department.see(media.get_own, bob.id, file.id)
    for wrong in ({"description": "x" * 1501, "focus": None}, {"description": None, "focus": (2.0, 0.0)}):
        with pytest.raises(Unprocessable):
            await department.do(media.update, ann.id, file.id, **wrong)


async def test_files_belong_to_one_post_of_their_owner(department: Department) -> None:
    ann, bob = await department.person("ann"), await department.person("bob")
    files = [await upload(department, ann.id) for _ in range(5)]
    ids = [file.id for file in files]
    with pytest.raises(Unprocessable):
        await department.post(bob, media_ids=(ids[0],))
    with pytest.raises(Unprocessable):
        await department.post(ann, media_ids=tuple(ids))
    post = await department.post(ann, media_ids=(ids[1], ids[0]))
    found = await department.see(media.of_statuses, [post.id, 1])
    assert {status: [file.id for file in kept] for status, kept in found.items()} == {post.id: [ids[1], ids[0]]}
    with pytest.raises(Unprocessable):
        await department.post(ann, media_ids=(ids[0],))
    await department.do(media.replace, ann.id, post.id, [ids[2], ids[1]])
    assert [file.id for file in (await department.see(media.of_statuses, [post.id]))[post.id]] == [ids[2], ids[1]]


async def test_remote_files_are_asked_for_once(department: Department) -> None:
    far = await department.stranger("far")
    local = await department.post(await department.person("ann"))
    cat = RemoteMedia("https://far/cat.png", "image", "image/png", width=4, height=2, focus=(9, 0))
    dog = RemoteMedia("https://far/dog", "strange", "")
    await department.do(media.store_remote, far.id, local.id, [cat])
    (first,) = (await department.see(media.of_statuses, [local.id]))[local.id]
    assert orjson.loads(first.sizes)["focus"] == {"x": 1, "y": 0}
    assert (first.key, first.remote_url) == (None, cat.url)
    await department.do(media.replace_remote, far.id, local.id, [dog, cat])
    kinds = [item.kind for item in (await department.see(media.of_statuses, [local.id]))[local.id]]
    assert kinds == ["unknown", "image"]
    waiting = await department.do(jobs.claim, ("fetch_media",))
    assert first.id in {job.payload["media_id"] for job in waiting}
    assert len(waiting) == 2
    await department.do(media.replace_remote, far.id, local.id, [dog])
    assert len((await department.see(media.of_statuses, [local.id]))[local.id]) == 1


async def test_another_focus_and_other_words_are_taken_over(department: Department) -> None:
    far, post = await department.stranger("far"), await department.post(await department.person("ann"))
    cat = RemoteMedia("https://far/cat.png", "image", "image/png", "a cat", width=4, height=2, focus=(0.5, 0))
    await department.do(media.store_remote, far.id, post.id, [cat])
    for told, same in (
        (cat, True),
        (replace(cat, focus=None), True),
        (replace(cat, focus=(0.5, 9)), False),
        (replace(cat, focus=(0.5, 1), description="my cat"), False),
    ):
        assert await department.see(media.says_the_same, post.id, [told]) is same
        await department.do(media.replace_remote, far.id, post.id, [told])
    (row,) = (await department.see(media.of_statuses, [post.id]))[post.id]
    sizes = orjson.loads(row.sizes)
    assert (sizes["focus"], sizes["original"]["width"], row.description) == ({"x": 0.5, "y": 1}, 4, "my cat")
    assert not await department.see(media.says_the_same, post.id, [])


async def test_fetching_renews_the_post(department: Department) -> None:
    far, post = await department.stranger("far"), await department.post(await department.person("ann"))
    await department.do(media.store_remote, far.id, post.id, [RemoteMedia("https://far/x", "image", "", focus=(0, 0))])
    (row,) = (await department.see(media.of_statuses, [post.id]))[post.id]
    await department.do(media.failed, row.id)
    failed = await department.see(media.find, row.id)
    assert failed
    assert failed.failed_at
    await department.do(
        media.fetched, row.id, key="k" * 16, preview_key=None, kind="image", mime="image/png", bytes=3,
        sizes={"original": {}}, blurhash="LEHV",
    )  # fmt: skip
    fetched = await department.see(media.find_by_key, "k" * 16)
    assert fetched
    assert (fetched.failed_at, fetched.blurhash, "focus" in fetched.sizes) == (None, "LEHV", True)
    assert (await department.see(statuses.get, post.id)).version == post.version + 2


async def test_left_over_files(department: Department) -> None:
    ann = await department.person("ann")
    unused, used, kept = [await upload(department, ann.id) for _ in range(3)]
    post = await department.post(ann, media_ids=(used.id,))
    await department.post(ann, media_ids=(kept.id,))
    await department.do(statuses.delete, ann, post.id)
    assert await department.see(media.abandoned, unused.created_at) == []
    department.clock.pass_(seconds=10)
    gone = [file.id for file in await department.see(media.abandoned, department.clock.now_ms)]
    assert gone == [unused.id, used.id]
    await department.do(media.forget, gone)
    assert await department.see(media.abandoned, department.clock.now_ms) == []
