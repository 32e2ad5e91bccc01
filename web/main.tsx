// The page's start: what the address and the browser remember, then the dashboard. The only module that runs by itself.
import { effect } from '@preact/signals';
import { render } from 'preact';
import { App } from './app.tsx';
import { createDashboard } from './dashboard/dashboard.ts';
import { dashboardSignals } from './dashboard/signals.ts';
import { storedTheme, storedZone } from './view/preferences.ts';
import { readUrl } from './view/url-state.ts';

const url = readUrl(location.search);
const systemTheme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
const signals = dashboardSignals({
  symbol: url.symbol,
  interval: url.interval,
  theme: storedTheme() ?? systemTheme,
  zone: storedZone(),
});
effect(() => {
  document.documentElement.dataset['theme'] = signals.theme.value;
});

const dashboard = createDashboard({
  signals,
  url,
  // Follows no change of the machine's clock while the page is open.
  now: () => performance.timeOrigin + performance.now(),
  random: Math.random,
});

const place = document.getElementById('app');
if (place === null) throw new Error('Expected an element #app in index.html');
render(<App dashboard={dashboard} />, place);
