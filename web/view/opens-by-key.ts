// A key that opens a menu from anywhere on the page, but not while its letter is being typed somewhere.
import type { Signal } from '@preact/signals';

/** Answers how to stop listening: an effect's cleanup. */
export function opensByKey(key: string, isOpen: Signal<boolean>): () => void {
  const open = (event: KeyboardEvent) => {
    // A radio button keeps the focus after a click, and takes no text.
    const isTyping = event.target instanceof HTMLInputElement && event.target.type !== 'radio';
    if (event.key !== key || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    isOpen.value = true;
  };
  document.addEventListener('keydown', open);
  return () => document.removeEventListener('keydown', open);
}
