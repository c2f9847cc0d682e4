// Drives an Open Payments server with the official TypeScript SDK, every answer checked against
// the SDK's own OpenAPI documents.
//
// stdin:  {"scenario", "wallet", "client": {"walletAddress", "keyId", "privateKey": PATH}, …}
// stdout: what the scenario learnt, as one JSON object; the tests judge it.
//
// A call that the SDK refuses is an answer too: {"refused": {status, code, description, …}}.

import { createHash, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { createAuthenticatedClient, createUnauthenticatedClient } from '@interledger/open-payments'

const ALL_BUT_OTHERS = ['create', 'complete', 'read', 'list']

async function attempt(call) {
  try {
    return { answer: (await call) ?? null }
  } catch (error) {
    const { status, code, description, validationErrors, details } = error
    return { refused: { status, code, description, validationErrors, details } }
  }
}

class Session {
  constructor(asked) {
    this.asked = asked
  }

  async open() {
    const { walletAddress, keyId, privateKey } = this.asked.client
    this.sdk = await createAuthenticatedClient({
      walletAddressUrl: walletAddress,
      keyId,
      privateKey,
      validateResponses: true
    })
    this.anyone = await createUnauthenticatedClient({ validateResponses: true })
    this.wallet = await this.sdk.walletAddress.get({ url: this.asked.wallet })
    return this
  }

  async grant(actions = ALL_BUT_OTHERS) {
    const access = [{ type: 'incoming-payment', actions }]
    this.granted = await this.sdk.grant.request(
      { url: this.wallet.authServer },
      { access_token: { access } }
    )
    this.token = this.granted.access_token
    return this.granted
  }

  create(wanted, token = this.token.value) {
    return this.sdk.incomingPayment.create(
      { url: this.wallet.resourceServer, accessToken: token },
      { walletAddress: this.wallet.id, ...wanted }
    )
  }

  list(place, token = this.token.value) {
    const { id, resourceServer } = this.wallet
    return this.sdk.incomingPayment.list(
      { url: resourceServer, walletAddress: id, accessToken: token },
      place
    )
  }

  get(url, token = this.token.value) {
    return this.sdk.incomingPayment.get({ url, accessToken: token })
  }

  complete(url, token = this.token.value) {
    return this.sdk.incomingPayment.complete({ url, accessToken: token })
  }

  amount(value) {
    const { assetCode, assetScale } = this.wallet
    return { value, assetCode, assetScale }
  }
}

async function discovery(session) {
  const { sdk, asked, wallet, anyone } = session
  return {
    wallet,
    seenByAnyone: await anyone.walletAddress.get({ url: asked.wallet }),
    clientKeys: await sdk.walletAddress.getKeys({ url: asked.client.walletAddress })
  }
}

async function grants(session) {
  const { sdk } = session
  const granted = await session.grant()
  const { access_token: first, continue: continuation } = granted
  const { access_token: second } = await sdk.token.rotate({
    url: first.manage,
    accessToken: first.value
  })
  const facts = {
    granted,
    rotated: second,
    withOldToken: await attempt(session.list({ first: 1 }, first.value)),
    withNewToken: await attempt(session.list({ first: 1 }, second.value)),
    revoked: await attempt(sdk.token.revoke({ url: second.manage, accessToken: second.value })),
    withRevokedToken: await attempt(session.list({ first: 1 }, second.value)),
    rotatedAfterRevoke: await attempt(
      sdk.token.rotate({ url: second.manage, accessToken: second.value })
    )
  }
  facts.cancelled = await attempt(
    sdk.grant.cancel({ url: continuation.uri, accessToken: continuation.access_token.value })
  )
  return facts
}

async function payments(session) {
  const { sdk, anyone, asked } = session
  await session.grant()
  const created = await session.create({
    incomingAmount: session.amount('1250'),
    metadata: asked.metadata,
    expiresAt: asked.expiresAt
  })
  const open = await session.create({})
  return {
    created,
    open,
    got: await session.get(created.id),
    public: await sdk.incomingPayment.getPublic({ url: created.id }),
    publicToAnyone: await anyone.incomingPayment.get({ url: created.id }),
    completed: await session.complete(created.id),
    afterwards: await session.get(created.id),
    completedTwice: await attempt(session.complete(created.id)),
    wrongAsset: await attempt(
      session.create({ incomingAmount: { value: '1', assetCode: 'XXX', assetScale: 9 } })
    )
  }
}

async function paging(session) {
  await session.grant()
  const created = []
  for (let number = 1; number <= session.asked.count; number += 1) {
    created.push((await session.create({ metadata: { number } })).id)
  }

  const size = session.asked.pageSize
  const forward = []
  let cursor
  do {
    const page = await session.list({ first: size, ...(cursor && { cursor }) })
    forward.push(page)
    cursor = page.pagination.endCursor
  } while (forward.at(-1).pagination.hasNextPage)
  const pastTheEnd = await session.list({ first: size, cursor })

  const backward = []
  cursor = forward.at(-1).pagination.startCursor
  while (cursor) {
    const page = await session.list({ last: size, cursor })
    backward.push(page)
    cursor = page.pagination.hasPreviousPage ? page.pagination.startCursor : undefined
  }
  return {
    created,
    forward,
    backward,
    pastTheEnd,
    withoutSize: await session.list(),
    backwardWithoutCursor: await attempt(session.list({ last: size })),
    tooMany: await attempt(session.list({ first: 101 }))
  }
}

async function outgoing(session) {
  const { sdk, asked } = session
  const { authServer } = session.wallet
  const control = async (path, body) => {
    const answer = await fetch(asked.sandbox + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body)
    })
    return answer.json()
  }
  const access = [
    { type: 'outgoing-payment', actions: ['read-all'], identifier: session.wallet.id }
  ]
  const pending = await sdk.grant.request(
    { url: authServer },
    { access_token: { access }, interact: { start: ['redirect'] } }
  )
  let continuation = pending.continue
  const poll = () =>
    sdk.grant.continue({ url: continuation.uri, accessToken: continuation.access_token.value })
  const tooFast = await attempt(poll())

  let granted = { continue: continuation }
  for (let polls = 0; polls < 10 && !granted.access_token; polls += 1) {
    await control('/sandbox/clock', { advance: (granted.continue.wait ?? 5) + 1 })
    granted = await poll()
    continuation = granted.continue
  }
  return {
    pending,
    tooFast,
    granted,
    payment: await sdk.outgoingPayment.get({
      url: asked.outgoingPayment,
      accessToken: granted.access_token.value
    }),
    cancelled: await attempt(
      sdk.grant.cancel({ url: continuation.uri, accessToken: continuation.access_token.value })
    )
  }
}

// Listens for the browser that comes back, as a client on the account holder's own machine does.
async function listening() {
  let arrived
  const callback = new Promise((resolve) => (arrived = resolve))
  const server = createServer((request, response) => {
    response.end('return to the client')
    arrived(new URL(request.url, 'http://127.0.0.1'))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const uri = `http://127.0.0.1:${server.address().port}/callback?state=${randomUUID()}`
  return { server, uri, callback }
}

// The account holder's browser: keeps the cookie, sends the page's form, follows redirects.
async function decide(url, choice) {
  const started = await fetch(url, { redirect: 'manual' })
  const cookie = started.headers.get('set-cookie').split(';')[0]
  const page = await (await fetch(started.headers.get('location'), { headers: { cookie } })).text()
  const field = (name) => page.match(new RegExp(`name="${name}" value="([^"]*)"`))[1]
  let answer = await fetch(page.match(/<form [^>]*action="([^"]*)"/)[1], {
    method: 'POST',
    headers: { cookie },
    body: new URLSearchParams({ interactId: field('interactId'), nonce: field('nonce'), choice }),
    redirect: 'manual'
  })
  while (answer.status >= 300 && answer.status < 400) {
    const location = answer.headers.get('location')
    answer = await fetch(location, { headers: { cookie }, redirect: 'manual' })
  }
  return page
}

async function interactive(session) {
  const { sdk, asked, wallet } = session
  const { server, uri, callback } = await listening()
  const nonce = randomUUID()
  const access = [
    {
      type: 'incoming-payment',
      actions: ['read-all', 'list-all'],
      identifier: wallet.id
    }
  ]
  const pending = await sdk.grant.request(
    { url: wallet.authServer },
    {
      access_token: { access },
      interact: { start: ['redirect'], finish: { method: 'redirect', uri, nonce } }
    }
  )
  const page = await decide(pending.interact.redirect, asked.choice)
  const returned = Object.fromEntries((await callback).searchParams)
  server.close()

  const proof = [nonce, pending.interact.finish, returned.interact_ref, wallet.authServer]
  const facts = {
    pending,
    page,
    returned,
    state: new URL(uri).searchParams.get('state'),
    expectedHash: createHash('sha256').update(proof.join('\n')).digest('base64')
  }
  const { uri: url, access_token: continuation } = pending.continue
  const proceed = (interact_ref) =>
    attempt(sdk.grant.continue({ url, accessToken: continuation.value }, { interact_ref }))
  facts.tooFast = await proceed(returned.interact_ref ?? 'none')
  await fetch(asked.sandbox + '/sandbox/clock', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ advance: pending.continue.wait + 1 })
  })
  facts.wrongReference = await proceed(randomUUID())
  facts.granted = await proceed(returned.interact_ref ?? 'none')
  const token = facts.granted.answer?.access_token.value
  facts.page1 = token && (await session.list({ first: 5 }, token))
  return facts
}

async function strangers(session) {
  const { asked, wallet } = session
  await session.grant(['create', 'read'])
  const created = await session.create({})
  const stranger = await createAuthenticatedClient({
    walletAddressUrl: asked.client.walletAddress,
    keyId: asked.client.keyId,
    privateKey: Buffer.from(asked.otherKey),
    validateResponses: true
  })
  const access = [{ type: 'incoming-payment', actions: ['read'] }]
  return {
    withoutRight: await attempt(session.list({ first: 1 })),
    unknownToken: await attempt(session.get(created.id, 'no-such-token')),
    otherKeyAtResources: await attempt(
      stranger.incomingPayment.get({ url: created.id, accessToken: session.token.value })
    ),
    otherKeyAtGrants: await attempt(
      stranger.grant.request({ url: wallet.authServer }, { access_token: { access } })
    )
  }
}

const SCENARIOS = { discovery, grants, payments, paging, outgoing, interactive, strangers }

const asked = JSON.parse(await text(process.stdin))
try {
  const session = await new Session(asked).open()
  const facts = await SCENARIOS[asked.scenario](session)
  process.stdout.write(JSON.stringify(facts) + '\n')
} catch (error) {
  const { description, status, validationErrors, stack } = error
  process.stderr.write(JSON.stringify({ description, status, validationErrors }) + `\n${stack}\n`)
  process.exitCode = 1
}
