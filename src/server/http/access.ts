// Who may talk to this server: Host and Origin against DNS rebinding and cross-site requests, a token for what changes state.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorBody } from './error-body.ts';

export interface AccessRules {
  /** The address the server is bound to. */
  readonly host: string;
  /** More names it is reached by, without a port: `charts.example.org`. */
  readonly allowedHosts: readonly string[];
  /** Needed for whatever changes state where `host` is not a loopback address. */
  readonly accessToken: string | undefined;
}

const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '::1'];
const WILDCARD: readonly string[] = ['0.0.0.0', '::', ''];
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(bareHost(host)) || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Whether a `Host` header names this server. A page of a stranger whose name was made to point here
 * (DNS rebinding) carries the stranger's name; an address typed as numbers cannot be rebound, so on
 * a wildcard address those are allowed.
 */
export function isHostAllowed(hostHeader: string | undefined, rules: AccessRules): boolean {
  const host = hostnameOf(`http://${hostHeader ?? ''}`);
  return host !== undefined && isNameAllowed(host, rules);
}

/** Whether an `Origin` header is one of ours; absent is fine: only browsers send it. */
export function isOriginAllowed(origin: string | undefined, rules: AccessRules): boolean {
  if (origin === undefined) return true;
  const host = /^https?:\/\//.test(origin) ? hostnameOf(origin) : undefined;
  return host !== undefined && isNameAllowed(host, rules);
}

/** Refuses foreign hosts always, foreign origins and missing tokens where they could do harm. Covers every route registered after it. */
export function registerAccess(app: FastifyInstance, rules: AccessRules): void {
  app.addHook('onRequest', async (request, reply) => {
    const fault = accessFault(request, rules);
    if (fault !== undefined) await refuse(reply, fault);
  });
}

interface AccessFault {
  readonly status: 401 | 403;
  readonly code: string;
  readonly message: string;
}

function accessFault(request: FastifyRequest, rules: AccessRules): AccessFault | undefined {
  if (!isHostAllowed(request.headers.host, rules)) {
    return {
      status: 403,
      code: 'foreign-host',
      message: `Host "${request.headers.host ?? ''}" is not one of this server's names: use ${rules.host}, or allow the name with --allowed-hosts`,
    };
  }
  const changesState = !SAFE_METHODS.includes(request.method);
  const { origin } = request.headers;
  if ((request.ws || changesState) && !isOriginAllowed(origin, rules)) {
    return {
      status: 403,
      code: 'foreign-origin',
      message: `Origin "${origin ?? ''}" is another site: open the dashboard from this server, or allow the name with --allowed-hosts`,
    };
  }
  return changesState ? tokenFault(request, rules) : undefined;
}

function tokenFault(request: FastifyRequest, rules: AccessRules): AccessFault | undefined {
  if (isLoopback(rules.host)) return undefined;
  if (rules.accessToken === undefined) {
    return {
      status: 403,
      code: 'no-access-token',
      message: `On ${rules.host} nothing may be changed without a token: start with --access-token`,
    };
  }
  if (isSameText(request.headers.authorization ?? '', `Bearer ${rules.accessToken}`)) {
    return undefined;
  }
  return {
    status: 401,
    code: 'wrong-access-token',
    message: 'Expected "Authorization: Bearer <token>" with the token of --access-token',
  };
}

async function refuse(reply: FastifyReply, fault: AccessFault): Promise<void> {
  if (fault.status === 401) reply.header('www-authenticate', 'Bearer');
  await reply.code(fault.status).send(errorBody(fault.code, fault.message));
}

function isNameAllowed(host: string, rules: AccessRules): boolean {
  return (
    LOOPBACK.includes(host) ||
    host === bareHost(rules.host) ||
    rules.allowedHosts.some((allowed) => bareHost(allowed) === host) ||
    (WILDCARD.includes(bareHost(rules.host)) && isIP(host) !== 0)
  );
}

function hostnameOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  return parsed === null || parsed.hostname === '' ? undefined : bareHost(parsed.hostname);
}

/** Lower case, without the brackets of an IPv6 address. */
function bareHost(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}

/** Takes as long for a wrong text as for the right one. */
function isSameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
