// What is attached to a message. A file begins to go as soon as it is chosen, in
// parts; the server says how far it has come, so a connection that breaks costs
// nothing but time. Without this, files go with the form.
import { say } from '#app';

const piece = 512 * 1024;
const most = 10;
const size = n => n < 1e6 ? `${Math.round(n / 1000)} KB` : `${(n / 1e6).toFixed(1)} MB`;

class Refused extends Error {}

// attach wires a composer. It returns what the message takes along.
export function attach(form, path, identifier) {
  const list = form.querySelector('[data-parcels]');
  const parcels = new Map(); // by identifier: { item, name, done, gone }
  const headers = { 'X-Script': 'thread' };

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
    return { item, called, state, bar };
  }

  function takeOut(id, name) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'btn inline';
    button.dataset.takeOut = '';
    button.textContent = 'Take out';
    const hidden = document.createElement('span');
    hidden.className = 'vh';
    hidden.textContent = ` ${name}`;
    button.append(hidden);
    return button;
  }

  async function add(file) {
    if (parcels.size >= most) return say(`A message can have up to ${most} files. Send the others with another one.`);
    const id = identifier();
    const { item, called, state, bar } = line(id, file.name);
    const parcel = {
      id, item, name: file.name, gone: false,
      says(words) { state.textContent = words; },
      goes(n, of) { bar.max = of; bar.value = n; state.textContent = `${size(n)} of ${size(of)}`; },
    };
    parcels.set(id, parcel);
    parcel.says('Starting…');
    parcel.done = readable(file).then(ready => upload(parcel, ready)).then(came => {
      bar.remove();
      called.textContent = parcel.name = came.name;
      parcel.says(came.says);
      item.dataset.whole = '';
      say(`${came.name} is attached`);
      return true;
    }).catch(error => {
      bar.remove();
      item.classList.add('bad');
      parcels.delete(id);
      if (parcel.gone) return true;
      parcel.says(error instanceof Refused ? error.message : 'This file could not be read. Choose it again.');
      say(`${parcel.name}: ${state.textContent}`);
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
    parcels.delete(id);
    item.remove();
    fetch(`${path}/files/${id}/removal`, { method: 'POST', credentials: 'same-origin', redirect: 'error', headers }).catch(() => {}); // it goes by itself after a day
    form.elements.body.focus();
  });

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
  addEventListener('beforeunload', event => { if (list.querySelector('progress')) event.preventDefault(); });
  record(form, add);

  return {
    // take hands over what is attached, for one message.
    take() {
      const some = [...parcels.values()];
      parcels.clear();
      for (const { item } of some) item.remove();
      return {
        ids: some.map(p => p.id), names: some.map(p => p.name),
        whole: Promise.all(some.map(p => p.done)).then(all => all.every(Boolean)),
        // back puts them where they were: their message did not go.
        back() { for (const p of some) { list.append(p.item); if (!p.item.classList.contains('bad')) parcels.set(p.id, p); } },
      };
    },
  };
}

// record has somebody speak a note, if the browser can.
function record(form, add) {
  const box = form.querySelector('[data-recorder]');
  const type = globalThis.MediaRecorder && navigator.mediaDevices?.getUserMedia && ['audio/mp4', 'audio/webm;codecs=opus', 'audio/ogg;codecs=opus'].find(t => MediaRecorder.isTypeSupported(t));
  if (!type) return;
  const button = box.querySelector('[data-record]');
  const words = button.querySelector('[data-words]');
  const away = box.querySelector('[data-record-away]');
  const time = box.querySelector('[data-record-time]');
  const longest = 30 * 60;
  let now = null;
  box.hidden = false;

  function stop(keep) {
    if (!now) return;
    now.keep = keep;
    if (now.recorder.state !== 'inactive') now.recorder.stop();
  }

  async function begin() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      time.textContent = 'The microphone is not there, or not allowed. You can attach a recording as a file.';
      return say(time.textContent);
    }
    const recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 48_000 });
    const pieces = [];
    const began = Date.now();
    now = { recorder, keep: true };
    recorder.ondataavailable = event => pieces.push(event.data);
    recorder.onstop = () => {
      clearInterval(tick);
      for (const track of stream.getTracks()) track.stop();
      const keep = now.keep;
      now = null;
      words.textContent = 'Record';
      away.hidden = true;
      time.textContent = '';
      const at = new Date();
      const name = `Spoken note ${at.getHours()}.${String(at.getMinutes()).padStart(2, '0')}`;
      if (keep) add(new File(pieces, `${name}.${type.includes('mp4') ? 'm4a' : type.includes('webm') ? 'webm' : 'ogg'}`, { type }));
    };
    const tick = setInterval(() => {
      const s = Math.floor((Date.now() - began) / 1000);
      time.textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
      if (s >= longest) stop(true);
    }, 500);
    recorder.start(1000);
    words.textContent = 'Stop and attach';
    away.hidden = false;
    time.textContent = '0:00';
    say('Recording');
  }
  button.addEventListener('click', () => { if (now) stop(true); else begin(); });
  away.addEventListener('click', () => { stop(false); button.focus(); });
}
