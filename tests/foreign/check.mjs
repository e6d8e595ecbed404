// Holds what it is given, one JSON a line, against npm packages that know nothing of Interlock; answers one JSON a line.
//   {"canonical": TEXT}                          -> the bytes `canonicalize` (RFC 8785) writes for the parsed text, base64
//   {"disclosure": TEXT}                         -> what @sd-jwt/utils (RFC 9901) reads, and its digest
//   {"envelope": TEXT, "key": HEX}               -> whether @sigstore/core's PAE and node's Ed25519 verify the envelope
import crypto from 'node:crypto';
import readline from 'node:readline';
import canonicalize from 'canonicalize';
import core from '@sigstore/core';
import { Disclosure } from '@sd-jwt/utils';

const sha256 = (data) => new Uint8Array(crypto.createHash('sha256').update(data).digest());
const HEADER = Buffer.from('302a300506032b6570032100', 'hex');

function verified({ envelope, key }) {
  const said = JSON.parse(envelope);
  const pae = core.dsse.preAuthEncoding(said.payloadType, Buffer.from(said.payload, 'base64'));
  const der = Buffer.concat([HEADER, Buffer.from(key, 'hex')]);
  const publicKey = crypto.createPublicKey({ key: der, format: 'der', type: 'spki' });
  return crypto.verify(null, pae, publicKey, Buffer.from(said.signatures[0].sig, 'base64'));
}

function answer(asked) {
  if ('canonical' in asked) return Buffer.from(canonicalize(JSON.parse(asked.canonical))).toString('base64');
  if ('envelope' in asked) return verified(asked);
  const read = Disclosure.fromEncodeSync(asked.disclosure, { alg: 'sha-256', hasher: sha256 });
  return { name: read.key, value: read.value, digest: read.digestSync({ alg: 'sha-256', hasher: sha256 }) };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  let said;
  try { said = answer(JSON.parse(line)); } catch (error) { said = { error: String(error) }; }
  console.log(JSON.stringify(said));
}
