// What happens, as it happens, by Server-Sent Events. The browser opens the stream again by itself after a break.

// listen({ended: told => …, log: told => …}) until what it returns is called. `opened` is called when listening begins, and again after a
// break: what happened before is not told.
export function listen({ opened, ...handlers }) {
  const source = new EventSource(`/v0/management/events?kinds=${Object.keys(handlers).join(",")}`);
  source.onopen = opened;
  for (const [kind, act] of Object.entries(handlers)) source.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  return () => source.close();
}
