// Faults the reader should know of, such as a link's unknown symbol. Closed by the reader.
import type { Dashboard } from '../dashboard/dashboard.ts';

export function Notices({ dashboard }: { readonly dashboard: Dashboard }) {
  const { notices } = dashboard.signals;
  if (notices.value.length === 0) return null;
  return (
    <div class="notices" role="alert">
      <ul>
        {notices.value.map((notice) => (
          <li key={notice}>{notice}</li>
        ))}
      </ul>
      <button type="button" aria-label="Close the messages" onClick={dashboard.dismissNotices}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M4 4l8 8M12 4l-8 8" />
        </svg>
      </button>
    </div>
  );
}
