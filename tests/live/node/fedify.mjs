// A partner's server, made with Fedify: one account, bob. What others send is kept; what bob does is asked for at
// POST /act/NAME with JSON. `FIRST` names the kind of signatures that it tries first.
import dns from "node:dns";
import { createServer } from "node:http";
import { createFederation, generateCryptoKeyPair, InProcessMessageQueue, MemoryKvStore } from "@fedify/fedify";
import {
  Accept, Announce, Create, Delete, Endpoints, Follow, Like, Mention, Note, Person, PUBLIC_COLLECTION, Reject, Tombstone,
  Undo, Update,
} from "@fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

const port = Number(process.env.PORT);
const origin = `http://partner.localhost:${port}`;
const seen = [];
const followers = new Map();
const notes = new Map();
const pairs = [];

const lookup = dns.lookup;
dns.lookup = (name, options, found) => lookup(name.endsWith(".localhost") ? "127.0.0.1" : name, options, found);

const federation = createFederation({
  kv: new MemoryKvStore(), queue: new InProcessMessageQueue(), allowPrivateAddress: true, origin,
  firstKnock: process.env.FIRST,
});
federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
  software: { name: "fedify-partner", version: "1.0.0" }, protocols: ["activitypub"],
  usage: { users: { total: 1, activeHalfyear: 1, activeMonth: 1 }, localPosts: notes.size, localComments: 0 },
}));
federation.setActorDispatcher("/users/{identifier}", async (ctx, identifier) => {
  if (identifier !== "bob") return null;
  const keys = await ctx.getActorKeyPairs(identifier);
  return new Person({
    id: ctx.getActorUri(identifier), preferredUsername: identifier, name: "Bob of Partner", summary: "<p>a customer</p>",
    inbox: ctx.getInboxUri(identifier), outbox: ctx.getOutboxUri(identifier), url: new URL("/@bob", origin),
    followers: ctx.getFollowersUri(identifier), endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
    publicKey: keys[0].cryptographicKey, assertionMethods: keys.map((key) => key.multikey),
  });
}).setKeyPairsDispatcher(async (_ctx, identifier) => {
  if (identifier === "bob" && !pairs.length) {
    pairs.push(await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519"));
  }
  return identifier === "bob" ? pairs : [];
});
federation.setFollowersDispatcher("/users/{identifier}/followers", () => ({ items: [...followers.values()] }));
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({ items: [...notes.values()].map(created) }));
federation.setObjectDispatcher(Note, "/notes/{id}", (_ctx, { id }) => notes.get(id) ?? null);

const inbox = federation.setInboxListeners("/users/{identifier}/inbox", "/inbox");
inbox.setSharedKeyDispatcher(() => ({ identifier: "bob" }));
inbox.on(Follow, async (ctx, follow) => {
  const follower = await follow.getActor(ctx);
  seen.push({ type: "Follow", actor: follow.actorId.href });
  followers.set(follower.id.href, { id: follower.id, inboxId: follower.inboxId, endpoints: follower.endpoints });
  // As in the tutorial: the Follow goes back whole, with its actor that was fetched, under a proof.
  await send(ctx, follower, new Accept({ ...act(ctx, "accepts"), actor: follow.objectId, object: follow }));
});
for (const kind of [Accept, Reject, Create, Update, Delete, Like, Announce]) {
  inbox.on(kind, async (ctx, activity) => {
    const { actorId, objectId } = activity;
    const object = kind === Delete ? null : await activity.getObject(ctx); // what is deleted cannot be read
    seen.push({
      type: kind.name, actor: actorId.href, object: objectId?.href, kind: object?.constructor.name,
      content: object?.content?.toString() ?? null,
    });
  });
}
inbox.on(Undo, async (ctx, undo) => {
  const undone = await undo.getObject(ctx);
  seen.push({ type: "Undo", actor: undo.actorId.href, kind: undone?.constructor.name });
  if (undone instanceof Follow) followers.delete(undo.actorId.href);
});
inbox.onError((_ctx, error) => seen.push({ type: "error", error: String(error.stack) }));

const act = (ctx, name) => ({ id: new URL(`#${name}/${crypto.randomUUID()}`, ctx.getActorUri("bob")), actor: ctx.getActorUri("bob") });
const send = (ctx, to, activity) => ctx.sendActivity({ identifier: "bob" }, to, activity, to === "followers" ? { preferSharedInbox: true } : {});
const signed = async (ctx) => ({ documentLoader: await ctx.getDocumentLoader({ identifier: "bob" }) });
const read = async (ctx, uri) => ctx.lookupObject(uri, await signed(ctx));
const authorOf = async (ctx, uri) => (await read(ctx, uri)).getAttribution(await signed(ctx));
const created = (note) => new Create({
  id: new URL("#create", note.id), actor: note.attributionId, object: note, to: PUBLIC_COLLECTION, ccs: [...note.ccIds],
});
const reaction = (Kind) => async (ctx, { uri }) => {
  const done = new Kind({ ...act(ctx, Kind.name.toLowerCase()), object: new URL(uri), to: PUBLIC_COLLECTION });
  await send(ctx, await authorOf(ctx, uri), done);
  return done.id.href;
};

const acts = {
  seen: () => seen,
  async lookup(ctx, { uri }) {
    const found = await read(ctx, uri);
    return found && { id: found.id.href, kind: found.constructor.name, name: found.name?.toString() ?? null };
  },
  async follow(ctx, { uri }) {
    const follow = new Follow({ ...act(ctx, "follows"), object: new URL(uri) });
    await send(ctx, await read(ctx, uri), follow);
    return follow.id.href;
  },
  async unfollow(ctx, { id, uri }) {
    const follow = new Follow({ id: new URL(id), actor: ctx.getActorUri("bob"), object: new URL(uri) });
    await send(ctx, await read(ctx, uri), new Undo({ ...act(ctx, "undos"), object: follow }));
  },
  async post(ctx, { text, parent, to }) {
    const named = to ? await read(ctx, to) : null;
    const note = new Note({
      id: new URL(`/notes/${crypto.randomUUID()}`, origin), attribution: ctx.getActorUri("bob"), to: PUBLIC_COLLECTION,
      ccs: [ctx.getFollowersUri("bob"), ...(named ? [named.id] : [])], content: `<p>${text}</p>`, mediaType: "text/html",
      replyTarget: parent ? new URL(parent) : null, published: Temporal.Now.instant(), url: new URL("/@bob", origin),
      tags: named ? [new Mention({ href: named.id, name: `@${named.preferredUsername}` })] : [],
    });
    notes.set(note.id.pathname.split("/")[2], note);
    await send(ctx, named ?? "followers", created(note));
    return note.id.href;
  },
  async edit(ctx, { id, text }) {
    const key = new URL(id).pathname.split("/")[2];
    notes.set(key, notes.get(key).clone({ content: `<p>${text}</p>`, updated: Temporal.Now.instant() }));
    await send(ctx, "followers", new Update({ ...act(ctx, "updates"), object: notes.get(key), to: PUBLIC_COLLECTION }));
  },
  async remove(ctx, { id }) {
    notes.delete(new URL(id).pathname.split("/")[2]);
    const gone = new Tombstone({ id: new URL(id) });
    await send(ctx, "followers", new Delete({ ...act(ctx, "deletes"), object: gone, to: PUBLIC_COLLECTION }));
  },
  like: reaction(Like),
  announce: reaction(Announce),
  async unlike(ctx, { id, uri }) {
    const like = new Like({ id: new URL(id), actor: ctx.getActorUri("bob"), object: new URL(uri) });
    await send(ctx, await authorOf(ctx, uri), new Undo({ ...act(ctx, "undos"), object: like }));
  },
};

async function answer(request, body) {
  if (request.url.startsWith("/act/")) {
    const ctx = federation.createContext(new URL(origin), undefined);
    return Response.json((await acts[request.url.slice(5)](ctx, body.length ? JSON.parse(body) : {})) ?? null);
  }
  const { method, headers } = request;
  const asked = new Request(`http://${headers.host}${request.url}`, { method, headers, body: body.length ? body : undefined });
  return federation.fetch(asked, {
    contextData: undefined, onNotFound: () => new Response(null, { status: 404 }),
    onNotAcceptable: () => new Response(null, { status: 406 }),
  });
}

createServer(async (request, response) => {
  try {
    const answered = await answer(request, Buffer.concat(await Array.fromAsync(request)));
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    response.end(Buffer.from(await answered.arrayBuffer()));
  } catch (error) {
    response.writeHead(500).end(String(error.stack));
  }
}).listen(port, "127.0.0.1", () => console.log("ready"));
