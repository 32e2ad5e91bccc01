// An authority of one's own and a certificate it has signed, as a company's proxy or a test exchange has: made anew each time, so that no key is kept
// anywhere. Just enough of X.509 (RFC 5280) for that.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface Certificates {
  /** PEM, for NODE_EXTRA_CA_CERTS. */
  readonly authority: string;
  /** PEM, for a TLS server. */
  readonly certificate: string;
  readonly key: string;
}

interface Party {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** For servers of these DNS names. */
export function makeCertificates(names: readonly string[]): Certificates {
  const authority = makeParty('Test authority');
  const server = makeParty('Test server');
  return {
    authority: signed(authority, authority, basicConstraints()),
    certificate: signed(server, authority, subjectAltNames(names)),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function makeParty(name: string): Party {
  return { name, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

function signed(of: Party, by: Party, extension: Buffer): string {
  const body = sequence(
    tagged(0xa0, integer(2)),
    integer(of === by ? 1 : 2),
    ECDSA_WITH_SHA256,
    nameOf(by),
    sequence(utcTime('200101000000Z'), utcTime('491231235959Z')),
    nameOf(of),
    of.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', body, by.privateKey);
  const whole = sequence(body, ECDSA_WITH_SHA256, tagged(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** One DER value: tag, length, contents. */
function tagged(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

function sequence(...contents: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...contents);
}

function integer(value: number): Buffer {
  return tagged(0x02, Buffer.from([value]));
}

function utcTime(text: string): Buffer {
  return tagged(0x17, Buffer.from(text));
}

function oid(...bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}

const ECDSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

function nameOf({ name }: Party): Buffer {
  return sequence(tagged(0x31, sequence(oid(0x55, 0x04, 0x03), tagged(0x0c, Buffer.from(name)))));
}

/** It may sign others. */
function basicConstraints(): Buffer {
  const isAuthority = tagged(0x01, Buffer.from([0xff]));
  const isCritical = tagged(0x01, Buffer.from([0xff]));
  return sequence(oid(0x55, 0x1d, 0x13), isCritical, tagged(0x04, sequence(isAuthority)));
}

function subjectAltNames(names: readonly string[]): Buffer {
  const all = names.map((name) => tagged(0x82, Buffer.from(name)));
  return sequence(oid(0x55, 0x1d, 0x11), tagged(0x04, sequence(...all)));
}
