// The list of conversations keeps itself true, and so does the number beside
// "Messaging". One stream for each page; it comes back by itself after sleep.
import { parse, prepare } from '#app';

// count shows how many are unread, in the frame and in the tab.
export function count(n) {
  for (const link of document.querySelectorAll('a[href="/messages"]')) {
    const at = link.querySelector('.count');
    if (!n) { at?.remove(); continue; }
    const words = n === 1 ? '1 unread' : `${n} unread`;
    const mark = at ?? (link.querySelector('.pip') ?? link).appendChild(Object.assign(document.createElement('span'), { className: 'count' }));
    const shown = document.createElement('span');
    shown.setAttribute('aria-hidden', 'true');
    shown.textContent = n;
    const said = document.createElement('span');
    said.className = 'vh';
    said.textContent = words;
    mark.replaceChildren(shown, said);
  }
  document.title = (n ? `(${n}) ` : '') + document.title.replace(/^\(\d+\) /, '');
}

// listen opens a stream and hears it until the page goes. Browsers come back by
// themselves after a lost connection; a server that says no is asked again. What
// it returns ends that. Lost is called when a connection goes.
export function listen(address, { over = () => location.reload(), lost = () => {}, ...on }) {
  let source, timer, stopped;
  const open = () => {
    clearTimeout(timer);
    if (stopped) return;
    source = new EventSource(address());
    for (const [name, hear] of Object.entries(on)) source.addEventListener(name, hear);
    source.addEventListener('over', () => { source.close(); over(); });
    source.addEventListener('crowded', () => { source.close(); lost(); }); // very many pages are open: this one goes on when it is seen again
    source.onerror = () => {
      lost();
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, 3000 + Math.random() * 4000);
    };
  };
  // A page that nobody looks at lets go: it goes on where it was when it is seen again.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) { timer = setTimeout(() => { source.close(); lost(); }, 60_000); return; }
    clearTimeout(timer);
    if (source.readyState === EventSource.CLOSED) open();
  });
  addEventListener('focus', () => { if (!document.hidden && source.readyState === EventSource.CLOSED) { clearTimeout(timer); open(); } });
  addEventListener('pagehide', () => source.close());
  addEventListener('pageshow', event => { if (event.persisted) open(); });
  open();
  return () => { stopped = true; clearTimeout(timer); source.close(); };
}

// Whoever shows that they are here says so when they touch a page, once a minute
// at most: never because a page stands open. The server says whether they show it.
let shows = false, used = Date.now(), told = 0;

function tell() {
  told = Date.now();
  fetch('/messages/here', { method: 'POST', credentials: 'same-origin' }).catch(() => { told = 0; });
}

for (const kind of ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchmove']) {
  addEventListener(kind, () => { used = Date.now(); if (shows && used - told >= 60_000) tell(); }, { passive: true });
}
addEventListener('pageshow', event => { if (event.persisted) used = Date.now(); });

export function attend(event) {
  shows = parse(event.data).body.textContent === 'yes';
  if (shows && !document.hidden && Date.now() - used < 60_000) tell();
}

const list = document.querySelector('[data-conversations]');
if (list && document.querySelector('.search')) {
  let now = list.outerHTML;
  listen(() => '/messages/stream', {
    list(event) {
      const fresh = document.adoptNode(parse(event.data).querySelector('[data-conversations]'));
      const drawn = fresh.outerHTML;
      if (drawn === now) return; // nothing new: somebody may be about to press what stands there
      now = drawn;
      const at = document.activeElement?.closest?.('[data-conversations] a')?.getAttribute('href');
      document.querySelector('[data-conversations]').replaceWith(fresh);
      prepare(fresh);
      if (at) fresh.querySelector(`a[href="${at}"]`)?.focus();
    },
    unread(event) { count(Number(event.data)); },
    shows: attend,
  });
}
