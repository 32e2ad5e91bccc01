import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Fastify from 'fastify';
import { openSocket, testServer } from '../testing/test-server.ts';
import { type AccessRules, isHostAllowed, isOriginAllowed, registerAccess } from './access.ts';

const LOCAL: AccessRules = { host: '127.0.0.1', allowedHosts: [], accessToken: undefined };
const ANY: AccessRules = { host: '0.0.0.0', allowedHosts: [], accessToken: undefined };

describe('Host', () => {
  it('is this machine’s names, the bound address and the names allowed', () => {
    for (const host of ['localhost:8501', '127.0.0.1', '[::1]:8501', 'LocalHost']) {
      assert.equal(isHostAllowed(host, LOCAL), true, host);
    }
    assert.equal(isHostAllowed('192.168.1.5:8501', { ...LOCAL, host: '192.168.1.5' }), true);
    const named = { ...LOCAL, allowedHosts: ['Charts.example.org'] };
    assert.equal(isHostAllowed('charts.example.org', named), true);
  });

  it('is refused where it is a stranger’s name, missing or no host at all', () => {
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '192.168.1.5',
      '',
      'a b',
      undefined,
    ]) {
      assert.equal(isHostAllowed(host, LOCAL), false, String(host));
    }
  });

  it('may be any address, yet no name, where the server listens on all addresses', () => {
    assert.equal(isHostAllowed('192.168.1.5:8501', ANY), true);
    assert.equal(isHostAllowed('[2001:db8::1]:8501', ANY), true);
    assert.equal(isHostAllowed('evil.example', ANY), false);
  });
});

describe('Origin', () => {
  it('may be absent or ours, and nothing else', () => {
    assert.equal(isOriginAllowed(undefined, LOCAL), true);
    assert.equal(isOriginAllowed('http://localhost:5173', LOCAL), true);
    assert.equal(isOriginAllowed('https://127.0.0.1', LOCAL), true);
    for (const origin of ['null', 'https://evil.example', 'file://', '']) {
      assert.equal(isOriginAllowed(origin, LOCAL), false, origin);
    }
  });

  it('is refused with 403 for a WebSocket from another site', async () => {
    await using test = await testServer();
    const url = `${await test.server.listen()}/api/v1/live`;
    await assert.rejects(openSocket(url, { origin: 'https://evil.example' }), /403/);
    await assert.rejects(openSocket(url, { host: 'evil.example' }), /403/);
    const socket = await openSocket(url, { origin: 'http://localhost:8501' });
    assert.equal((await socket.next())['type'], 'hello');
  });

  it('is no secret: the refusal says why, and whose market it is (I10)', async () => {
    await using test = await testServer();
    const response = await test.server.app.inject({
      url: '/healthz',
      headers: { host: 'evil.example' },
    });
    assert.equal(response.statusCode, 403);
    assert.match(response.json().error.message, /"evil.example".*--allowed-hosts/);
    assert.equal(response.headers['x-wickstream-source'], 'simulated:7');
  });

  it('does not matter to a plain read, which no other site can see the answer of', async () => {
    await using test = await testServer();
    const response = await test.server.app.inject({
      url: '/healthz',
      headers: { origin: 'https://evil.example' },
    });
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers['access-control-allow-origin'], undefined);
  });
});

describe('what changes state', () => {
  async function post(rules: AccessRules, headers: Record<string, string> = {}) {
    const app = Fastify();
    app.decorateRequest('ws', false);
    registerAccess(app, rules);
    app.post('/change', async () => 'changed');
    return app.inject({ method: 'POST', url: '/change', headers });
  }

  it('needs no token on a loopback address', async () => {
    assert.equal((await post(LOCAL)).statusCode, 200);
  });

  it('is refused to another site’s page', async () => {
    const response = await post(LOCAL, { origin: 'https://evil.example' });
    assert.equal(response.statusCode, 403);
    assert.match(response.json().error.message, /"https:\/\/evil.example"/);
  });

  it('needs the token on any other address', async () => {
    const rules = { ...ANY, accessToken: 'secret' };
    assert.equal((await post(rules)).statusCode, 401);
    assert.equal((await post(rules, { authorization: 'Bearer wrong' })).statusCode, 401);
    assert.equal((await post(rules, { authorization: 'Bearer secret' })).statusCode, 200);
  });

  it('is impossible there without a token, and says what would help', async () => {
    const response = await post(ANY);
    assert.equal(response.statusCode, 403);
    assert.match(response.json().error.message, /--access-token/);
  });
});
