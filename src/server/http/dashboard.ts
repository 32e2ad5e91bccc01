// The dashboard's files, and what is said where they are not built. Serves nothing outside their folder.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Vite names files here by their content: a name never changes its meaning. */
const HASHED = /[\\/]assets[\\/]/;

export async function registerDashboard(app: FastifyInstance, directory: string): Promise<void> {
  if (!existsSync(join(directory, 'index.html'))) {
    app.get('/', async (_request, reply) =>
      reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT),
    );
    return;
  }
  await app.register(fastifyStatic, {
    root: directory,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const value = HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
      reply.header('cache-control', value);
    },
  });
}

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Wickstream: dashboard not built</title>
<body style="font:16px/1.5 system-ui;max-width:36em;margin:4em auto;padding:0 1em">
<h1>The dashboard is not built</h1>
<p>Wickstream is running and its APIs answer, but the dashboard's files are missing.
Run <code>npm run build</code>, then start again (<code>npm start</code> does both).</p>
<p><a href="/api/v1/health">Pipeline health</a></p>
</body></html>
`;
