// Closes an open menu on a click elsewhere, on Escape and when the focus leaves it.
import type { Signal } from '@preact/signals';
import type { RefObject } from 'preact';

/** Starts listening; the answer stops it. */
export function closesMenu(
  place: RefObject<HTMLElement | null>,
  isOpen: Signal<boolean>,
): () => void {
  const leave = (event: Event) => {
    if (event.target instanceof Node && place.current?.contains(event.target)) return;
    isOpen.value = false;
  };
  const onEscape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !isOpen.value) return;
    isOpen.value = false;
    place.current?.querySelector('button')?.focus();
  };
  document.addEventListener('pointerdown', leave);
  document.addEventListener('focusin', leave);
  document.addEventListener('keydown', onEscape);
  return () => {
    document.removeEventListener('pointerdown', leave);
    document.removeEventListener('focusin', leave);
    document.removeEventListener('keydown', onEscape);
  };
}
