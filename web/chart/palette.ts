// Colours of the canvas in both themes; those of the page around it are in styles/. Contrast is checked against each background.

export type Theme = 'dark' | 'light';

export interface Palette {
  readonly background: string;
  readonly text: string;
  readonly grid: string;
  readonly separator: string;
  readonly crosshair: string;
  readonly crosshairLabel: string;
  readonly up: string;
  readonly down: string;
  readonly upVolume: string;
  readonly downVolume: string;
  /** Border of a candle whose trades are not all there. */
  readonly incomplete: string;
  readonly incompleteBody: string;
  readonly corrected: string;
  /** The audit's marks. */
  readonly verified: string;
  readonly repaired: string;
  readonly differs: string;
  readonly unverified: string;
  readonly gap: string;
  readonly gapText: string;
  /** The price line and its label while the chart is not current. */
  readonly muted: string;
}

export const PALETTES: Readonly<Record<Theme, Palette>> = {
  dark: {
    background: '#0d1016',
    text: '#98a2b3',
    grid: '#171c25',
    separator: '#232a36',
    crosshair: '#5d687b',
    crosshairLabel: '#333d4d',
    up: '#22b585',
    down: '#f04a5d',
    upVolume: 'rgba(34, 181, 133, 0.42)',
    downVolume: 'rgba(240, 74, 93, 0.42)',
    incomplete: '#e3a93c',
    incompleteBody: 'rgba(227, 169, 60, 0.22)',
    corrected: '#6ea8fe',
    verified: '#37866c',
    repaired: '#6ea8fe',
    differs: '#ff6b7c',
    unverified: '#e3a93c',
    gap: 'rgba(152, 162, 179, 0.10)',
    gapText: '#98a2b3',
    muted: '#6b7587',
  },
  light: {
    background: '#ffffff',
    text: '#565f6e',
    grid: '#f0f2f5',
    separator: '#dfe3e9',
    crosshair: '#98a1b0',
    crosshairLabel: '#3d4756',
    up: '#10997a',
    down: '#e03c50',
    upVolume: 'rgba(16, 153, 122, 0.38)',
    downVolume: 'rgba(224, 60, 80, 0.36)',
    incomplete: '#b97a06',
    incompleteBody: 'rgba(214, 150, 30, 0.22)',
    corrected: '#2f6fdb',
    verified: '#3f9b80',
    repaired: '#2f6fdb',
    differs: '#c92a40',
    unverified: '#a56a05',
    gap: 'rgba(86, 95, 110, 0.09)',
    gapText: '#565f6e',
    muted: '#8a93a2',
  },
};
