// Lets @interledger/http-signature-utils verify, or sign, requests handed over as JSON, and
// JSON.stringify write again what JSON.parse reads.
//
// stdin:  {"verify": [{"jwk", "request": {"method", "url", "headers", "body"?}}, …]}
//         {"sign": [{"privateKey": PEM, "keyId", "request": {…}}, …]}
//         {"rewrite": [text, …]}
// stdout: {"verify": [true, false, …]}, {"sign": [{header: value, …}, …]}, {"rewrite": [text, …]};
//         a text that is no JSON comes back as null

import { createPrivateKey } from 'node:crypto'
import { text } from 'node:stream/consumers'
import {
  createHeaders,
  validateSignature,
  validateSignatureHeaders
} from '@interledger/http-signature-utils'

// The reference server hashes what its JSON parser made of the body, not the bytes that came.
function asTheReferenceServerSeesIt(request) {
  const { body, ...rest } = request
  return body === undefined ? rest : { ...rest, body: JSON.stringify(JSON.parse(body)) }
}

async function verify({ jwk, request }) {
  const seen = asTheReferenceServerSeesIt(request)
  return validateSignatureHeaders(seen) && (await validateSignature(jwk, seen))
}

function sign({ privateKey, keyId, request }) {
  return createHeaders({ request, keyId, privateKey: createPrivateKey(privateKey) })
}

function rewrite(text) {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return null
  }
}

const asked = JSON.parse(await text(process.stdin))
const answers = {}
if (asked.verify) answers.verify = await Promise.all(asked.verify.map(verify))
if (asked.sign) answers.sign = await Promise.all(asked.sign.map(sign))
if (asked.rewrite) answers.rewrite = asked.rewrite.map(rewrite)
process.stdout.write(JSON.stringify(answers) + '\n')
