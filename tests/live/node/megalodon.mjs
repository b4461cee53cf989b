// The library megalodon, which serves several kinds of servers and must recognise ours. See steps.mjs.

import { createReadStream } from "node:fs";
import generator, { detector } from "megalodon";
import { BASE, OTHER, TOKEN, eventually, run } from "./steps.mjs";

const detect = async () => ({ kind: await detector(BASE) });

const mine = generator("mastodon", BASE, TOKEN);
const theirs = generator("mastodon", BASE, OTHER);

async function register() {
  const app = await generator("mastodon", BASE).registerApp("megalodon", { scopes: ["read", "write", "follow"] });
  return { url: app.url, id: app.client_id, secret: app.client_secret };
}

async function login(id, secret, code) {
  const token = await generator("mastodon", BASE).fetchAccessToken(id, secret, code);
  const account = await generator("mastodon", BASE, token.access_token).verifyAccountCredentials();
  return { acct: account.data.acct };
}

async function rest() {
  const { data: them } = await theirs.verifyAccountCredentials();
  const { data: posted } = await mine.postStatus("hello from megalodon", {
    poll: { options: ["tea", "coffee"], expires_in: 3600 },
    spoiler_text: "a question",
  });
  const { data: voted } = await theirs.votePoll(posted.poll.id, [1]);
  await theirs.favouriteStatus(posted.id);
  await theirs.reblogStatus(posted.id);
  await mine.followAccount(them.id);
  const { data: relationship } = await mine.getRelationship(them.id);
  await mine.unfollowAccount(them.id);
  const { data: list } = await mine.createList("megalodon");
  await mine.deleteList(list.id);
  const { data: edited } = await mine.editStatus(posted.id, { status: "hello again from megalodon" });
  return {
    posted: posted.id,
    content: edited.content,
    votes: voted.options.map((option) => option.votes_count),
    following: relationship.following,
    home: (await mine.getHomeTimeline({ limit: 5 })).data.map((status) => status.id),
    notifications: (await mine.getNotifications({ limit: 30 })).data.map((item) => item.type),
    found: (await mine.search("ben", { type: "accounts" })).data.accounts.map((account) => account.acct),
    instance: (await mine.getInstance()).data.title,
    gone: await mine.deleteStatus(posted.id).then(() => mine.getStatus(posted.id)).catch((error) => error.response.status),
  };
}

async function upload(path) {
  const { data: media } = await mine.uploadMedia(createReadStream(path), { description: "a small picture" });
  const { data: posted } = await mine.postStatus("look", { media_ids: [media.id] });
  return posted.media_attachments;
}

async function streaming() {
  const stream = await mine.userStreaming(); // connects by itself
  const heard = [];
  for (const event of ["connect", "update", "notification", "status_update", "delete", "error", "parser-error"]) {
    stream.on(event, (payload) => heard.push([event, payload?.status?.id ?? payload?.id ?? payload]));
  }
  const has = (event, id) => heard.some(([name, payload]) => name === event && (id === undefined || payload === id));
  await eventually(() => has("connect"));
  await eventually(async () => {
    await mine.postStatus("am I there?");
    return has("update");
  });
  const { data: posted } = await mine.postStatus("live");
  await eventually(() => has("update", posted.id));
  await theirs.favouriteStatus(posted.id);
  await eventually(() => has("notification", posted.id));
  await mine.editStatus(posted.id, { status: "edited" });
  await eventually(() => has("status_update", posted.id));
  await mine.deleteStatus(posted.id);
  await eventually(() => has("delete", posted.id));
  stream.stop();
  return { events: [...new Set(heard.map(([event]) => event))] };
}

await run({ detect, register, login, rest, upload, streaming });
