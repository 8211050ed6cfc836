// What happens, as it happens: one stream of Server-Sent Events for the whole console, opened when somebody listens. The browser
// opens it again by itself after a break.

let source = null;
const listeners = new Map();

function hear(event) {
  const told = JSON.parse(event.data);
  for (const listener of listeners.get(event.type) || []) listener(told);
}

// Returns what stops listening.
export function listen(kind, listener) {
  if (source === null) source = new EventSource("/v0/management/events");
  if (!listeners.has(kind)) {
    listeners.set(kind, new Set());
    source.addEventListener(kind, hear);
  }
  listeners.get(kind).add(listener);
  return () => {
    listeners.get(kind).delete(listener);
    if ([...listeners.values()].every((set) => !set.size)) stop();
  };
}

export function stop() {
  source?.close();
  source = null;
  listeners.clear();
}
