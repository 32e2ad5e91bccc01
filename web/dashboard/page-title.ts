// The tab's title: the live price first, and before it whatever makes it less than the market's present. Pure.
import { groupThousands } from '../legend/format-decimal.ts';
import type { PageStatus } from '../status/page-status.ts';
import type { PriceView } from './signals.ts';

const ARROWS = { up: '▲', down: '▼', flat: '·' } as const;

export function pageTitle(view: {
  readonly symbol: string | undefined;
  readonly price: PriceView;
  readonly page: PageStatus;
  readonly badge: string | undefined;
}): string {
  const { price, page } = view;
  const badge = view.badge === undefined ? '' : `[${view.badge}] `;
  const warning = page.isCurrent || page.state === 'connecting' ? '' : `⚠ ${page.word} · `;
  if (view.symbol === undefined || price.text === '') return `${badge}${warning}Wickstream`;
  const arrow = page.isCurrent ? `${ARROWS[price.direction]} ` : '';
  return `${badge}${warning}${groupThousands(price.text)} ${arrow}${view.symbol} – Wickstream`;
}
