// The library masto, as web clients use it. See steps.mjs.

import { createRestAPIClient, createStreamingAPIClient } from "masto";
import { openAsBlob } from "node:fs";
import { BASE, OTHER, TOKEN, eventually, run } from "./steps.mjs";

const mine = createRestAPIClient({ url: BASE, accessToken: TOKEN });
const theirs = createRestAPIClient({ url: BASE, accessToken: OTHER });

async function rest() {
  const me = await mine.v1.accounts.verifyCredentials();
  const them = await theirs.v1.accounts.verifyCredentials();
  const posted = await mine.v1.statuses.create({ status: "hello from masto #web", spoilerText: "a greeting" });
  const answer = await theirs.v1.statuses.create({ status: `@${me.acct} hello`, inReplyToId: posted.id });
  await theirs.v1.statuses.$select(posted.id).favourite();
  await theirs.v1.statuses.$select(posted.id).reblog();
  await theirs.v1.statuses.$select(posted.id).bookmark();
  await mine.v1.accounts.$select(them.id).follow();
  const [relationship] = await mine.v1.accounts.relationships.fetch({ id: [them.id] });
  const grouped = await mine.v2.notifications.list();
  const list = await mine.v1.lists.create({ title: "masto" });
  await mine.v1.lists.$select(list.id).accounts.create({ accountIds: [them.id] });
  const inList = await mine.v1.timelines.list.$select(list.id).list();
  await mine.v1.lists.$select(list.id).remove();
  await mine.v1.markers.create({ home: { lastReadId: posted.id } });
  const counted = await mine.v1.statuses.$select(posted.id).fetch();
  const seen = {
    instance: (await mine.v2.instance.fetch()).title,
    answers: (await mine.v1.statuses.$select(posted.id).context.fetch()).descendants.map((status) => status.id),
    counts: [counted.repliesCount, counted.favouritesCount, counted.reblogsCount],
    bookmarks: (await theirs.v1.bookmarks.list()).map((status) => status.id),
    following: relationship.following,
    notifications: (await mine.v1.notifications.list()).map((notification) => notification.type),
    groups: grouped.notificationGroups.map((group) => group.type),
    found: (await mine.v2.search.list({ q: "ben" })).accounts.map((account) => account.acct),
    tagged: (await mine.v1.timelines.tag.$select("web").list()).map((status) => status.id),
    listed: inList.map((status) => status.id),
    marker: (await mine.v1.markers.fetch({ timeline: ["home"] })).home.lastReadId,
    looked: (await mine.v1.accounts.lookup({ acct: them.acct })).id,
    filters: await mine.v2.filters.list(),
    preferences: (await mine.v1.preferences.fetch())["posting:default:visibility"],
  };
  await mine.v1.accounts.$select(them.id).unfollow();
  await mine.v1.statuses.$select(posted.id).remove();
  const gone = await mine.v1.statuses.$select(posted.id).fetch().catch((error) => error.statusCode);
  return { ...seen, posted: posted.id, answer: answer.id, them: them.id, gone };
}

async function upload(path) {
  const file = await openAsBlob(path, { type: "image/png" });
  const media = await mine.v2.media.create({ file, description: "a small picture", focus: "0.5,-0.5" });
  await mine.v1.media.$select(media.id).update({ description: "one picture" });
  const posted = await mine.v1.statuses.create({ status: "look", mediaIds: [media.id] });
  return posted.mediaAttachments;
}

async function paginator() {
  const written = [];
  for (let number = 0; number < 7; number += 1) {
    written.push((await mine.v1.statuses.create({ status: `masto page ${number}` })).id);
  }
  const pages = [];
  for await (const page of mine.v1.timelines.home.list({ limit: 3 })) {
    pages.push(page.map((status) => status.id));
    if (pages.length === 3) break;
  }
  const upwards = mine.v1.timelines.home.list({ limit: 3, minId: written[0] }).setDirection("prev");
  const above = [];
  for await (const page of upwards) {
    if (page.length === 0) break;
    above.push(page.map((status) => status.id));
  }
  return { written, pages, above };
}

async function put() {
  const posted = await mine.v1.statuses.create({ status: "befroe" });
  const edited = await mine.v1.statuses.$select(posted.id).update({ status: "before" });
  const history = await mine.v1.statuses.$select(posted.id).history.list();
  const list = await mine.v1.lists.create({ title: "old" });
  const renamed = await mine.v1.lists.$select(list.id).update({ title: "new", exclusive: true });
  await mine.v1.lists.$select(list.id).remove();
  const fieldsAttributes = [{ name: "desk", value: "4" }];
  const me = await mine.v1.accounts.updateCredentials({ displayName: "Ada of masto", fieldsAttributes });
  const answer = await fetch(`${BASE}/api/v1/accounts/update_credentials`, {
    method: "PUT", // what masto sends for every other update
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify({ note: "put here" }),
  });
  return {
    edited: edited.editedAt,
    versions: history.length,
    list: [renamed.title, renamed.exclusive],
    name: me.displayName,
    fields: me.fields.map((field) => [field.name, field.value]),
    note: (await answer.json()).source.note,
  };
}

async function streaming() {
  const { streaming: url } = (await mine.v2.instance.fetch()).configuration.urls;
  const client = createStreamingAPIClient({ streamingApiUrl: url, accessToken: TOKEN });
  const events = [];
  const listen = async (subscription) => {
    for await (const event of subscription) events.push(event);
  };
  void listen(client.user.subscribe());
  void listen(client.hashtag.subscribe({ tag: "stream" }));
  const heard = (event, id) =>
    events.some((item) => item.event === event && (item.payload.id === id || item.payload === id));
  // A subscription is not answered, so posts are made until both streams tell of one.
  await eventually(async () => {
    await theirs.v1.statuses.create({ status: "is anybody there? #stream" });
    await mine.v1.statuses.create({ status: "am I there?" });
    return new Set(events.map((item) => item.stream[0])).size === 2;
  });
  const posted = await mine.v1.statuses.create({ status: "live" });
  await eventually(() => heard("update", posted.id));
  await theirs.v1.statuses.$select(posted.id).favourite();
  await eventually(() => events.some((item) => item.event === "notification" && item.payload.type === "favourite"));
  await mine.v1.statuses.$select(posted.id).update({ status: "edited" });
  await eventually(() => heard("status.update", posted.id));
  await mine.v1.statuses.$select(posted.id).remove();
  await eventually(() => heard("delete", posted.id));
  client.close();
  return {
    url,
    events: [...new Set(events.map((item) => item.event))].sort(),
    streams: [...new Set(events.map((item) => item.stream.join(" ")))].sort(),
  };
}

await run({ rest, upload, paginator, put, streaming });
