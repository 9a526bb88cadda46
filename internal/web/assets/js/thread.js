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
let [read, noted] = thread.dataset.read.split('-').map(Number); // how far it was read, and after how many changes

const post = (to, fields, how) => fetch(path + to, {
  method: 'POST', credentials: 'same-origin', redirect: 'error', headers: { 'X-Script': 'thread' }, body: fields instanceof FormData ? fields : new URLSearchParams(fields), ...how,
});
const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 160;
const toEnd = () => scrollTo({ top: document.documentElement.scrollHeight });

// --- reading ---------------------------------------------------------------

let telling;
function noteRead() {
  if (document.hidden || !document.hasFocus() || telling || newest <= read && change <= noted) return;
  telling = true;
  const [seq, until] = [newest, change];
  post('/read', { seq, change: until }).then(answer => { if (answer.ok) { [read, noted] = [seq, until]; document.querySelector('[data-no-script]')?.remove(); } }).catch(() => {}).finally(() => { telling = false; if (newest > seq || change > until) setTimeout(noteRead, 500); });
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
      const before = list.querySelector('.waiting');
      if (day) list.insertBefore(document.adoptNode(day), before);
      list.insertBefore(node, before);
      if (!node.classList.contains('mine')) heard = `${node.querySelector('.who b').textContent}: ${node.querySelector('.words')?.textContent.trim() ?? ''}`;
    }
    day = null;
    prepare(node);
  }
  document.querySelector('[data-empty]')?.remove();
  putSeen();
  if (heard) { say(heard); writing(''); }
  if (stay) toEnd();
  fadeMends();
}

// Who has seen how far stands with the last of one's own messages that was seen.
let seen = document.getElementById('seen');
function putSeen() {
  document.getElementById('seen')?.remove();
  const message = seen && document.getElementById(seen.dataset.of);
  message?.insertBefore(seen, message.querySelector('[data-mend]'));
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
  seen(event) {
    const stay = atEnd();
    seen = parse(event.data).getElementById('seen');
    putSeen();
    if (stay) toEnd();
  },
  typing(event) { writing(parse(event.data).body.textContent); },
  unread(event) { count(Number(event.data)); },
  shows(event) { attend(event); here.hidden = parse(event.data).body.textContent !== 'yes'; },
  lost() { present(''); }, // what is not known is not shown
  async over() {
    if (form) { kept = null; keep(); await Promise.race([keeps, new Promise(done => { setTimeout(done, 2 * second); })]); }
    if (shut && draft()) return handBack(draft());
    location.reload();
  },
  here(event) { present(parse(event.data).body.textContent); },
});

// handBack is for who may no longer open the conversation, and was writing: of all that
// is on the page, their own words are left to them.
function handBack(words) {
  const left = document.querySelector('[data-closed]');
  stopped = true;
  document.getElementById('typed').textContent = words;
  left.hidden = false;
  left.prepend(document.querySelector('h1'));
  document.querySelector('main').replaceChildren(left);
  say('You can no longer write here.'); // and no word of what was said before
  left.focus();
}

// A message can be changed for some minutes; then the way to it goes.
function fadeMends() {
  const now = Date.now();
  for (const item of list.querySelectorAll('[data-until]')) {
    const left = Date.parse(item.dataset.until) - now;
    if (left > 0) continue;
    const mend = item.querySelector('[data-mend]');
    const held = mend?.contains(document.activeElement);
    mend?.remove();
    item.removeAttribute('data-until');
    if (held) { list.focus(); say('This message cannot be changed any more.'); }
  }
}
setInterval(fadeMends, 5000);

// Before a message is taken back the page asks. Whoever keeps it is where they were.
function keepIt(ask) {
  ask.open = false;
  ask.querySelector('summary').focus();
}
list.addEventListener('toggle', event => { if (event.target.open) event.target.querySelector('[data-keep]').hidden = false; }, true);
list.addEventListener('click', event => { const button = event.target.closest('[data-keep]'); if (button) keepIt(button.closest('[data-ask]')); });
list.addEventListener('keydown', event => {
  const ask = event.key === 'Escape' && event.target.closest('[data-ask][open]');
  if (ask) { event.preventDefault(); keepIt(ask); }
});

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
  state.className = 'muted small state';
  state.textContent = held ? 'Goes after the message above.' : 'Sending…';
  item.append(words, state);
  list.append(item);
  toEnd();
  return { item, state };
}

// One after the other, in the order in which they were written. What has to wait
// is kept as a draft, so that it outlives the page.
let outbox = Promise.resolve();
let held = false; // the first of them waits
let lagging = false; // one of them had to wait, and they are not all there yet
let stopped = false; // what waits is on its way by the form
let shut = false; // this conversation is not to be opened any more
const pending = new Map(); // what has not arrived, by its message
const draft = () => [...pending.values(), box.value].filter(Boolean).join('\n\n');
let kept = form?.elements.kept.value || (document.querySelector('[data-problems]') ? '' : box?.value); // what the server has of it
let keeps = Promise.resolve();
const thisPage = identifier(); // with a number that rises: of two requests under way the newer one stays
let turn = 0, newestKept = 0, underWay = 0;

// What is kept of a draft at most: its characters, and the bytes with which a browser
// goes on when the page is gone. A larger request it would not even begin.
const mostKept = { letters: 30_000, bytes: 60_000 };
const encoded = words => new TextEncoder().encode(words.replaceAll('\n', '\r\n')); // as a form has it

// parcel is a draft as it is sent to be kept: its beginning, if it is too long. The
// first of what waits may be on its way, and the server knows whether it has
// arrived; none of the others has set out.
function parcel() {
  const form = new FormData();
  const [[message, first = ''] = [], ...others] = pending;
  if (message) { form.append('message', message); form.append('words', first); }
  const rest = [...others.map(([, words]) => words), box.value].filter(Boolean).join('\n\n');
  const letters = [...rest].slice(0, mostKept.letters - [...first].length).join('');
  const bytes = encoded(letters).subarray(0, mostKept.bytes - encoded(first).length);
  const body = new TextDecoder().decode(bytes, { stream: true }).replaceAll('\r', ''); // without half a letter
  form.append('body', body);
  form.append('page', thisPage);
  form.append('number', ++turn);
  return { form, whole: body === rest };
}

// keep has the server keep what is not sent, one after the other.
function keep() {
  keeps = keeps.then(() => store(draft()));
}

async function store(body, how) {
  try {
    const { form: fields, whole } = parcel();
    const number = turn;
    if (underWay || body !== kept) {
      underWay++;
      const { ok, status } = await post('/draft', fields, how).finally(() => { underWay--; });
      shut = status === 404;
      if (!ok || number < newestKept) return;
      newestKept = number;
      kept = body;
    }
    const saved = form.querySelector('[data-saved]');
    saved.textContent = whole ? 'Draft kept. ' : 'This is very long: only the beginning of it is kept as a draft. ';
    saved.hidden = !body || body !== draft();
  } catch { /* the next key tries again */ }
}

// leave does so at once: in a moment the page may be gone. What becomes of a
// message that is on its way, it does not learn any more: the server knows.
let leaving = null;
function leave() {
  const body = draft();
  if (stopped || !underWay && body === kept || body === leaving) return;
  leaving = body;
  const stored = store(body, { keepalive: true }).finally(() => { leaving = null; });
  keeps = keeps.then(() => stored);
}

// What is longer would not go as one form.
const mostSent = 60_000;

const second = 1000;
const retry = { soon: second, busy: 20 * second, last: 60 * second };

function deliver(message, body, drawn, files, was) {
  pending.set(message, body);
  const fields = new URLSearchParams({ message, body });
  if (was) fields.set('kept', was);
  if (`${fields}`.length > mostSent) { fields.delete('kept'); if (was) kept = null; } // too much for one form: it goes when this has arrived
  for (const id of files.ids) fields.append('attachment', id);
  outbox = outbox.then(async () => {
    if (stopped) return;
    drawn.state.textContent = files.names.length ? 'Waiting for the files…' : 'Sending…';
    if (!await files.whole) return unsent(message, body, drawn, files);
    for (let pause = 0; ;) {
      if (!drawn.item.isConnected) return arrived(message, files); // the stream has brought it
      drawn.state.textContent = 'Sending…';
      let why = 'Not sent yet. ';
      let least = retry.soon;
      try {
        const answer = await post('', fields);
        if (answer.ok) { drawn.state.textContent = 'Sent'; return arrived(message, files); }
        if (answer.status < 500 && answer.status !== 429) return refused(message, drawn, files);
        if (answer.status === 429) { why = 'Not sent yet: these were very many messages in a short time. It goes by itself in a few minutes. '; least = retry.busy; }
      } catch { /* no connection */ }
      if (!held) { held = lagging = true; say(why); keep(); }
      pause = Math.max(least, Math.min(pause * 2, retry.last));
      await again(drawn, why, pause);
    }
  });
}

// again waits until a message is to be tried again: when somebody says so, when
// there is a connection, or after a while.
async function again(drawn, why, pause) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'btn inline';
  button.textContent = 'Try again';
  drawn.state.replaceChildren(why, button);
  for (const later of list.querySelectorAll('.waiting ~ .waiting > .state')) later.textContent = 'Goes after the message above.';
  await new Promise(done => { button.onclick = () => { box.focus(); done(); }; addEventListener('online', done, { once: true }); setTimeout(done, pause); });
}

// arrived goes on after a message. With it the server let go of what it had kept of
// it; what else there is now is kept again.
function arrived(message, files) {
  pending.delete(message);
  files.gone();
  held = false;
  const late = lagging;
  lagging &&= pending.size > 0;
  const forget = () => { if (kept || late) kept = null; };
  forget();
  keeps = keeps.then(forget); // what was still on its way to it may have gone too
  keep();
}

// unsent puts a message back of which a file could not be sent.
function unsent(message, body, drawn, files) {
  drawn.item.remove();
  pending.delete(message);
  files.back();
  form.elements.message.value = message;
  if (body) box.value = box.value ? `${body}\n${box.value}` : body;
  box.dispatchEvent(new Event('input'));
  say('Not sent: one of the files could not be attached. Remove it, and send the rest.');
}

const tooMany = n => n === 1 ? 'One character too many. ' : `${n} characters too many. `;

// refused puts the words back where they were typed, with all that waited behind
// them: the page of the answer says why.
function refused(message, drawn, files) {
  stopped = true;
  drawn.item.remove();
  form.elements.message.value = message;
  form.elements.kept.value = kept?.length < 6000 ? kept : '';
  box.value = draft();
  pending.clear();
  for (const id of files.ids) {
    const field = document.createElement('input');
    field.type = 'hidden';
    field.name = 'attachment';
    field.value = id;
    form.append(field);
  }
  form.submit();
}

addEventListener('pageshow', event => { if (event.persisted) stopped = false; }); // back again: what was refused can be sent as any other
addEventListener('beforeunload', event => { if (pending.size && (held || lagging || !navigator.onLine) && draft() !== kept) event.preventDefault(); });

if (form) {
  const left = form.querySelector('[data-count]');
  const saved = form.querySelector('[data-saved]');
  const attached = attach(form, path, identifier);
  let keeping, told = 0;

  const room = () => Number(box.dataset.most) - [...box.value].length; // a browser would cut off what is too much, without a word
  const shows = (words, wrong) => { left.hidden = !words; left.textContent = words; left.classList.toggle('wrong', wrong); box.ariaInvalid = wrong ? 'true' : null; };
  const tell = words => { shows(words, true); say(words); box.focus(); };
  const grow = () => {
    box.style.blockSize = 'auto';
    box.style.blockSize = `${Math.min(box.scrollHeight + 2, 200)}px`;
    const n = room();
    shows(n > 500 ? '' : n < 0 ? tooMany(-n) : n === 1 ? '1 character left. ' : `${n} characters left. `, n < 0);
  };
  box.addEventListener('input', () => {
    grow();
    saved.hidden = true;
    clearTimeout(keeping);
    keeping = setTimeout(keep, 1500);
    if (Date.now() - told > 3000 && box.value) { told = Date.now(); post('/typing', {}).catch(() => {}); }
  });
  document.addEventListener('visibilitychange', () => { if (document.hidden) leave(); });
  addEventListener('pagehide', leave);
  box.addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.isComposing && (event.ctrlKey || event.metaKey || !event.shiftKey && matchMedia('(pointer: fine)').matches)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener('submit', event => {
    event.preventDefault();
    if (stopped) return;
    if (room() < 0) return tell(tooMany(-room()));
    const note = attached.spoken(); // it is stopped, and goes along
    if (note) return note.then(() => form.requestSubmit());
    const body = box.value.trim();
    const files = attached.take();
    if (!body && !files.ids.length) return tell('Write something first. ');
    clearTimeout(keeping);
    const message = form.elements.message.value;
    form.elements.message.value = identifier();
    box.value = '';
    const was = !pending.size && kept && !body.startsWith(kept) && kept; // it was changed since
    if (!lagging) kept = ''; // it goes with what is sent
    saved.hidden = true;
    grow();
    deliver(message, body, waiting(message, body, files.names), files, was);
    if (lagging) keep();
    box.focus();
  });
  grow();
}

if (!document.querySelector('[data-problems]') && (location.hash === '#end' || !location.hash)) toEnd(); // what is wrong stays in sight
noteRead();
