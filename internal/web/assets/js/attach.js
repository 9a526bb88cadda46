// What is attached to a message. A file begins to go as soon as it is chosen, in
// parts; the server says how far it has come, so a connection that breaks costs
// nothing but time. Without this, files go with the form.
import { say } from '#app';
import { recorder } from '#record';

const piece = 512 * 1024;
const most = 10;
const tooMany = `A message can have up to ${most} files. Send the others with another one.`;
const noPlace = `A message can have up to ${most} files, and this one has them. Send it, or remove one, and press Record again.`;
const size = n => n < 1e6 ? `${Math.round(n / 1000)} KB` : `${(n / 1e6).toFixed(1)} MB`;

class Refused extends Error {}

// named is a button that says what it is about to those who do not see where it
// stands, or a link that looks like one.
function named(words, about, tag = 'button') {
  const button = document.createElement(tag);
  if (tag === 'button') button.type = 'button';
  button.className = 'btn inline';
  const hidden = document.createElement('span');
  hidden.className = 'vh';
  hidden.textContent = ` ${about}`;
  button.append(words, hidden);
  return button;
}

// listen is a button that plays a note before it is sent.
function listen(file, name) {
  const button = named('Listen', `to ${name}`);
  const sound = new Audio(URL.createObjectURL(file));
  const shows = () => { button.firstChild.data = sound.paused ? 'Listen' : 'Pause'; };
  button.dataset.listen = '';
  for (const kind of ['play', 'pause', 'ended']) sound.addEventListener(kind, shows);
  button.addEventListener('click', () => { if (sound.paused) sound.play().catch(() => say('This browser cannot play the note. It can be sent all the same.')); else sound.pause(); });
  return { button, sound };
}

// saving is a way to keep a note that was not taken: nobody else has it.
function saving(file, sound, item) {
  const link = named('Save to this device', file.name, 'a');
  link.href = sound.src;
  link.download = file.name;
  item.dataset.unsaved = '';
  link.addEventListener('click', () => { delete item.dataset.unsaved; });
  return link;
}

// attach wires a composer. It returns what the message takes along.
export function attach(form, path, identifier) {
  const list = form.querySelector('[data-parcels]');
  const parcels = new Map(); // by identifier: { item, name, done, gone }
  const sounds = new Map(); // notes that can be heard, by identifier
  const headers = { 'X-Script': 'thread' };

  // hush ends a note here, and what the browser holds of it.
  function hush(id) {
    const sound = sounds.get(id);
    if (!sound) return;
    sounds.delete(id);
    sound.pause();
    URL.revokeObjectURL(sound.src);
  }

  // A photograph as an iPhone takes it is drawn as a JPEG, where the browser can
  // read it. Elsewhere the server says what to do.
  async function readable(file) {
    if (!/^image\/hei[cf]/.test(file.type) && !/\.hei[cf]$/i.test(file.name)) return file;
    try {
      const picture = await createImageBitmap(file);
      const canvas = document.createElement('canvas');
      canvas.width = picture.width;
      canvas.height = picture.height;
      canvas.getContext('2d').drawImage(picture, 0, 0);
      const jpeg = await new Promise(done => { canvas.toBlob(done, 'image/jpeg', 0.9); });
      return new File([jpeg], file.name.replace(/\.hei[cf]$/i, '') + '.jpg', { type: 'image/jpeg' });
    } catch { return file; }
  }

  // ask asks until there is an answer; between two tries it waits for the
  // connection, or for another page that is at work on the same file. again is
  // what is asked then.
  async function ask(parcel, first, again) {
    for (let next = first, pause = 1000; ; next = again, pause = Math.min(pause * 2, 15_000)) {
      if (parcel.gone) throw new Refused('');
      let heard = false;
      try {
        const answer = await next();
        heard = answer.status < 500;
        const came = answer.headers.get('Content-Type') === 'application/json' ? await answer.json() : {};
        if (answer.ok || came.again && came.offset > 0) return came;
        if (answer.status < 500 && !came.again) throw new Refused(came.problem || 'This file could not be sent. Load the page again and choose it once more.');
      } catch (error) {
        if (error instanceof Refused) throw error;
      }
      if (!heard) parcel.says('Waiting for the connection…');
      await new Promise(done => { addEventListener('online', done, { once: true }); setTimeout(done, pause); });
    }
  }

  async function upload(parcel, file) {
    const begin = () => fetch(`${path}/files`, { method: 'POST', credentials: 'same-origin', redirect: 'error', headers, body: new URLSearchParams({ file: parcel.id, name: file.name, size: file.size }) });
    const arrived = () => fetch(`${path}/files/${parcel.id}/arrived`, { credentials: 'same-origin', redirect: 'error', headers });
    let came = await ask(parcel, begin, begin);
    while (!came.whole) {
      const from = came.offset;
      parcel.goes(from, file.size);
      came = await ask(parcel, () => fetch(`${path}/files/${parcel.id}/part?offset=${from}`, {
        method: 'POST', credentials: 'same-origin', redirect: 'error', headers: { ...headers, 'Content-Type': 'application/octet-stream' }, body: file.slice(from, from + piece),
      }), arrived);
    }
    return came;
  }

  // What grows above Send, or beside it, does not push it out of sight.
  const sendInView = () => form.querySelector('.sendrow > .btn').scrollIntoView({ block: 'nearest', behavior: 'instant' });

  function line(id, name) {
    const item = document.createElement('li');
    item.dataset.parcel = id;
    const words = document.createElement('span');
    const called = document.createElement('b');
    called.textContent = name;
    const state = document.createElement('span');
    state.className = 'hint';
    words.append(called, ' ', state);
    const bar = document.createElement('progress');
    bar.setAttribute('aria-label', name);
    item.append(words, bar, takeOut(id, name));
    list.append(item);
    sendInView();
    return { item, called, state, bar };
  }

  function takeOut(id, name) {
    const button = named('Remove', name);
    button.dataset.takeOut = '';
    return button;
  }

  async function add(file, spoken) {
    // A note that is being spoken has its place; one that was spoken is never turned away.
    if (!spoken && parcels.size + Number(!!notes?.expected()) >= most) return say(tooMany);
    const id = identifier();
    const name = spoken ? file.name.replace(/\.\w+$/, '') : file.name;
    const { item, called, state, bar } = line(id, name);
    const parcel = {
      id, item, name, gone: false,
      says(words) { state.textContent = words; },
      goes(n, of) { bar.max = of; bar.value = n; state.textContent = `${size(n)} of ${size(of)}`; },
    };
    parcels.set(id, parcel);
    if (spoken) {
      const note = listen(file, name);
      sounds.set(id, note.sound);
      item.querySelector('[data-take-out]').before(note.button);
    }
    parcel.says('Starting…');
    parcel.done = readable(file).then(ready => upload(parcel, ready)).then(came => {
      bar.remove();
      called.textContent = parcel.name = came.name;
      parcel.says(came.says);
      item.dataset.whole = '';
      say(spoken ? `${came.name} is attached. You can listen to it before you send it.` : `${came.name} is attached`);
      return true;
    }).catch(error => {
      bar.remove();
      item.classList.add('bad');
      parcels.delete(id);
      if (parcel.gone) return true;
      if (error instanceof Refused) item.dataset.refused = ''; // the server has nothing of it
      parcel.says(error instanceof Refused ? error.message : 'This file could not be read. Choose it again.');
      const note = sounds.get(id);
      if (note) item.querySelector('[data-take-out]').before(saving(file, note, item));
      say(`${parcel.name}: ${state.textContent}${note ? ' You can save it to this device.' : ''}`);
      return false;
    });
  }

  // What waited already when the page came.
  for (const item of list.querySelectorAll('[data-parcel]')) {
    const tick = item.querySelector('input');
    item.querySelector('[data-take-out]').hidden = false;
    if (!tick) continue;
    const id = tick.value;
    const name = item.querySelector('b').textContent;
    tick.closest('label').replaceWith(...[...tick.parentElement.querySelectorAll('span')].slice(0, 1));
    parcels.set(id, { id, item, name, gone: false, done: Promise.resolve(true) });
  }

  list.addEventListener('click', event => {
    const button = event.target.closest('[data-take-out]');
    if (!button) return;
    const item = button.closest('[data-parcel]');
    const id = item.dataset.parcel;
    const parcel = parcels.get(id);
    if (parcel) parcel.gone = true;
    hush(id);
    parcels.delete(id);
    item.remove();
    if (!('refused' in item.dataset)) fetch(`${path}/files/${id}/removal`, { method: 'POST', credentials: 'same-origin', redirect: 'error', headers }).catch(() => {}); // it goes by itself after a day
    form.elements.body.focus();
  });

  const ways = form.querySelector('.attach'); // opened, it stands at the end of the page: whoever opened it goes along
  ways.addEventListener('toggle', () => { if (ways.open) { ways.scrollIntoView({ block: 'center', behavior: 'instant' }); sendInView(); } });

  const many = files => { for (const file of files) add(file); };
  for (const input of form.querySelectorAll('[data-files]')) {
    input.addEventListener('change', () => { many([...input.files]); input.value = ''; });
  }
  form.elements.body.addEventListener('paste', event => {
    if (event.clipboardData?.files.length) { event.preventDefault(); many([...event.clipboardData.files]); }
  });
  form.addEventListener('dragover', event => { if (event.dataTransfer?.types.includes('Files')) event.preventDefault(); });
  form.addEventListener('drop', event => {
    if (event.dataTransfer?.files.length) { event.preventDefault(); many([...event.dataTransfer.files]); }
  });
  const notes = recorder(form.querySelector('[data-recorder]'), file => add(file, true), () => parcels.size >= most ? noPlace : '', sendInView);
  addEventListener('beforeunload', event => { if (list.querySelector('progress, [data-unsaved]') || notes?.speaking()) event.preventDefault(); });

  return {
    // spoken ends a note that is being spoken: it goes with the message. Nothing: none is.
    spoken() { return notes?.speaking() ? notes.finish() : null; },
    // take hands over what is attached, for one message.
    take() {
      const some = [...parcels.values()];
      parcels.clear();
      ways.open = false; // or nothing of what is sent is in view
      for (const { id, item } of some) { sounds.get(id)?.pause(); item.remove(); }
      return {
        ids: some.map(p => p.id), names: some.map(p => p.name),
        whole: Promise.all(some.map(p => p.done)).then(all => all.every(Boolean)),
        // gone lets go of them: their message has arrived.
        gone() { for (const { id } of some) hush(id); },
        // back puts them where they were: their message did not go.
        back() { for (const p of some) { list.append(p.item); if (!p.item.classList.contains('bad')) parcels.set(p.id, p); } },
      };
    },
  };
}
