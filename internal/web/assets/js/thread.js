// An open conversation. Messages are sent without leaving the page, come in as
// they are written, and are never lost: what has not arrived stands there and
// says so, and is sent again with the same identifier, so that it is there once.
import { parse, prepare, say } from '#app';
import { attach } from '#attach';
import { attend, count, listen } from '#messages';

const thread = document.querySelector('[data-thread]');
const path = thread.dataset.thread;
const list = document.getElementById('bubbles');
const form = document.querySelector('[data-composer]');
const box = form?.elements.body;
let [newest, change] = thread.dataset.newest.split('-').map(Number);
let read = Number(thread.dataset.read);

const post = (to, fields) => fetch(path + to, {
  method: 'POST', credentials: 'same-origin', redirect: 'error', headers: { 'X-Script': 'thread' }, body: new URLSearchParams(fields),
});
const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 160;
const toEnd = () => scrollTo({ top: document.documentElement.scrollHeight });

// --- reading ---------------------------------------------------------------

let telling;
function noteRead() {
  if (document.hidden || !document.hasFocus() || newest <= read || telling) return;
  telling = true;
  const seq = newest;
  post('/read', { seq }).then(answer => { if (answer.ok) { read = seq; document.querySelector('[data-no-script]')?.remove(); } }).catch(() => {}).finally(() => { telling = false; if (newest > seq) setTimeout(noteRead, 500); });
}
for (const kind of ['focus', 'visibilitychange', 'scroll']) addEventListener(kind, noteRead, { passive: true });
document.addEventListener('visibilitychange', noteRead);

// --- what comes in ---------------------------------------------------------

function show(html) {
  const stay = atEnd();
  const page = parse(`<ol>${html}</ol>`);
  let heard = '';
  let day = null;
  for (const fresh of [...page.querySelector('ol').children]) {
    if (fresh.hasAttribute('data-day')) { day = fresh; continue; }
    const node = document.adoptNode(fresh);
    const old = document.getElementById(node.id);
    document.getElementById(`w-${node.dataset.message}`)?.remove(); // it has arrived
    if (old) {
      old.replaceWith(node);
    } else {
      if (day) list.append(document.adoptNode(day));
      list.insertBefore(node, list.querySelector('.waiting'));
      if (!node.classList.contains('mine')) heard = `${node.querySelector('.who b').textContent}: ${node.querySelector('.words')?.textContent.trim() ?? ''}`;
    }
    day = null;
    prepare(node);
  }
  document.querySelector('[data-empty]')?.remove();
  if (heard) { say(heard); writing(''); }
  if (stay) toEnd();
  fadeMends();
}

let silent;
function writing(name) {
  const out = document.getElementById('typing');
  clearTimeout(silent);
  out.textContent = name ? `${name} is writing…` : '';
  if (name) silent = setTimeout(() => { out.textContent = ''; }, 6000);
}

// Who else is here. It is spoken when somebody comes, and not each time they turn
// a page; that somebody goes is not.
const here = document.getElementById('here');
let spoken = 0;
function present(words) {
  const out = here.querySelector('[data-words]');
  if (words === out.textContent) return;
  out.textContent = words;
  if (!words || Date.now() - spoken < 5 * 60_000) return;
  spoken = Date.now();
  say(`${document.querySelector('h1').textContent}. ${words}`);
}

listen(() => `${path}/stream?after=${newest}-${change}`, {
  messages(event) {
    const [place, number] = event.lastEventId.split('-').map(Number);
    newest = Math.max(newest, place || 0);
    change = Math.max(change, number || 0);
    show(event.data);
    noteRead();
  },
  seen(event) { document.getElementById('seen').textContent = parse(event.data).body.textContent; },
  typing(event) { writing(parse(event.data).body.textContent); },
  unread(event) { count(Number(event.data)); },
  shows(event) { attend(event); here.hidden = parse(event.data).body.textContent !== 'yes'; },
  lost() { present(''); }, // what is not known is not shown
  here(event) { present(parse(event.data).body.textContent); },
});

// A message can be changed for some minutes; then the way to it goes.
function fadeMends() {
  const now = Date.now();
  for (const item of list.querySelectorAll('[data-until]')) {
    const left = Date.parse(item.dataset.until) - now;
    if (left <= 0) { item.querySelector('[data-mend]')?.remove(); item.removeAttribute('data-until'); }
  }
}
setInterval(fadeMends, 5000);

// --- writing ---------------------------------------------------------------

// identifier makes one as the server does: in order of time (UUID version 7).
function identifier() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let ms = Date.now();
  for (let i = 5; i >= 0; i--) { bytes[i] = ms % 256; ms = Math.floor(ms / 256); }
  bytes[6] = 0x70 | bytes[6] & 0x0f;
  bytes[8] = 0x80 | bytes[8] & 0x3f;
  const hex = [...bytes].map(b => b.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

// waiting draws a message that has not arrived yet.
function waiting(message, body, names) {
  const item = document.createElement('li');
  item.id = `w-${message}`;
  item.className = 'bubble mine waiting';
  const words = document.createElement('div');
  words.className = 'words';
  for (const line of [...body ? body.split('\n') : [], ...names]) {
    const p = document.createElement('p');
    p.textContent = line;
    words.append(p);
  }
  const state = document.createElement('p');
  state.className = 'muted small';
  state.textContent = 'Sending…';
  item.append(words, state);
  list.append(item);
  toEnd();
  return { item, state };
}

// One after the other, in the order in which they were written.
let outbox = Promise.resolve();

function deliver(message, body, drawn, files) {
  const fields = new URLSearchParams({ message, body });
  for (const id of files.ids) fields.append('attachment', id);
  outbox = outbox.then(async () => {
    if (!await files.whole) return unsent(message, body, drawn, files);
    for (let pause = 1000; ; pause = Math.min(pause * 2, 30_000)) {
      if (!drawn.item.isConnected) return; // the stream has brought it
      let why = 'Not sent yet. ';
      try {
        const answer = await post('', fields);
        if (answer.ok) return drawn.item.classList.contains('waiting') && (drawn.state.textContent = 'Sent');
        if (answer.status < 500 && answer.status !== 429) return refused(message, body, drawn, files);
        if (answer.status === 429) why = 'Not sent yet: very many messages in a short time. It goes by itself in a few minutes. ';
      } catch { /* no connection */ }
      drawn.state.textContent = why;
      const again = document.createElement('button');
      again.type = 'button';
      again.className = 'btn inline';
      again.textContent = 'Try again';
      drawn.state.append(again);
      await new Promise(done => { again.onclick = done; addEventListener('online', done, { once: true }); setTimeout(done, pause); });
      drawn.state.textContent = 'Sending…';
    }
  });
}

// unsent puts a message back of which a file could not be sent.
function unsent(message, body, drawn, files) {
  drawn.item.remove();
  files.back();
  form.elements.message.value = message;
  if (body) box.value = box.value ? `${body}\n${box.value}` : body;
  box.dispatchEvent(new Event('input'));
  say('Not sent: one of the files could not be attached. Take it out, and send the rest.');
}

// refused puts the words back where they were typed: the page of the answer says why.
function refused(message, body, drawn, files) {
  drawn.item.remove();
  form.elements.message.value = message;
  box.value = body;
  for (const id of files.ids) {
    const field = document.createElement('input');
    field.type = 'hidden';
    field.name = 'attachment';
    field.value = id;
    form.append(field);
  }
  form.submit();
}

addEventListener('beforeunload', event => { if (list.querySelector('.waiting') && !navigator.onLine) event.preventDefault(); });

if (form) {
  const left = form.querySelector('[data-count]');
  const saved = form.querySelector('[data-saved]');
  const attached = attach(form, path, identifier);
  let kept = box.value, keeping, told = 0;

  const grow = () => {
    box.style.blockSize = 'auto';
    box.style.blockSize = `${Math.min(box.scrollHeight + 2, 200)}px`;
    const n = box.maxLength - [...box.value].length;
    left.hidden = n > 500;
    left.textContent = n === 1 ? '1 character left. ' : `${n} characters left. `;
  };
  const keep = async () => {
    const body = box.value;
    if (body === kept) return;
    try {
      const answer = await post('/draft', { body });
      if (answer.ok) { kept = body; saved.hidden = !body; }
    } catch { /* the next key tries again */ }
  };
  box.addEventListener('input', () => {
    grow();
    saved.hidden = true;
    clearTimeout(keeping);
    keeping = setTimeout(keep, 1500);
    if (Date.now() - told > 3000 && box.value) { told = Date.now(); post('/typing', {}).catch(() => {}); }
  });
  document.addEventListener('visibilitychange', () => { if (document.hidden) keep(); });
  box.addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.isComposing && (event.ctrlKey || event.metaKey || !event.shiftKey && matchMedia('(pointer: fine)').matches)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener('submit', event => {
    event.preventDefault();
    const body = box.value.trim();
    const files = attached.take();
    if (!body && !files.ids.length) return box.focus();
    clearTimeout(keeping);
    const message = form.elements.message.value;
    form.elements.message.value = identifier();
    box.value = '';
    kept = '';
    saved.hidden = true;
    grow();
    deliver(message, body, waiting(message, body, files.names), files);
    box.focus();
  });
  grow();
}

if (location.hash === '#end' || !location.hash) toEnd();
noteRead();
