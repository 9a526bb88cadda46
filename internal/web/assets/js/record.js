// A note that is spoken into the page, where the browser can record. Where it
// cannot, a recording is attached as a file.
import { say } from '#app';

// What everybody can play goes first.
const kinds = [['audio/mp4;codecs=mp4a.40.2', 'm4a'], ['audio/webm;codecs=opus', 'webm'], ['audio/mp4', 'm4a'], ['audio/ogg;codecs=opus', 'ogg']];
const longest = 10 * 60; // seconds
const clock = s => `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;

const several = (n, one) => n ? `${n} ${one}${n === 1 ? '' : 's'}` : '';
const lasting = s => [several(Math.floor(s / 60), 'minute'), several(s % 60, 'second')].filter(Boolean).join(' '); // in a file's name

const sentences = {
  NotAllowedError: 'The microphone is not allowed for this page. Allow it in the settings of your browser, or attach a recording as a file.',
  NotFoundError: 'No microphone was found. Connect one, or attach a recording as a file.',
  NotReadableError: 'The microphone is in use by another program. Close that, and press Record again.',
};
const otherwise = 'The microphone cannot be used at the moment. You can attach a recording as a file.';

// recorder wires the buttons. What was spoken is handed to done, as a file. full
// says why there is no place for it, before anything is spoken; grown hears that
// there is more to see.
export function recorder(box, done, full, grown) {
  const kind = globalThis.MediaRecorder && navigator.mediaDevices?.getUserMedia && kinds.find(([type]) => MediaRecorder.isTypeSupported(type));
  if (!kind) return null;
  const [type, ending] = kind;
  const button = box.querySelector('[data-record]');
  const words = button.querySelector('[data-words]');
  const away = box.querySelector('[data-record-away]');
  const time = box.querySelector('[data-record-time]');
  const told = box.querySelector('[data-record-says]');
  let now = null; // what is being recorded
  let asking = false; // whether we may
  box.hidden = false;

  function tell(sentence) {
    told.textContent = sentence;
    told.hidden = !sentence;
    if (sentence) { say(sentence); grown(); }
  }

  function stop(keep) {
    if (!now) return Promise.resolve();
    now.keep &&= keep;
    if (now.by.state !== 'inactive') now.by.stop();
    return now.over;
  }

  async function begin() {
    if (asking) return;
    const why = full();
    tell(why);
    if (why) return;
    asking = true;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      record(stream);
    } catch (error) {
      if (stream) hush(stream);
      tell(sentences[error.name] ?? otherwise);
    } finally {
      asking = false;
    }
  }

  const hush = stream => { for (const track of stream.getTracks()) track.stop(); };

  function record(stream) {
    const by = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 48_000 });
    const pieces = [];
    const began = Date.now();
    let ended;
    const mine = { by, keep: true, over: new Promise(resolve => { ended = resolve; }) };
    const shows = () => {
      const s = Math.floor((Date.now() - began) / 1000);
      time.textContent = `Recording ${clock(s)}`;
      if (s >= longest) { stop(true); tell('A note can have up to ten minutes. This one is attached.'); }
    };
    let tick;
    by.ondataavailable = event => pieces.push(event.data);
    by.onstop = () => {
      clearInterval(tick);
      hush(stream);
      now = null;
      words.textContent = 'Record';
      away.hidden = true;
      time.textContent = '';
      const note = new File(pieces, `Spoken note, ${lasting(Math.max(1, Math.round((Date.now() - began) / 1000)))}.${ending}`, { type });
      if (mine.keep && note.size) done(note);
      else if (mine.keep) tell('Nothing was recorded. Press Record to try again.');
      else say('Deleted');
      ended();
    };
    by.start(1000);
    tick = setInterval(shows, 250);
    now = mine;
    words.textContent = 'Stop';
    away.hidden = false;
    shows();
    grown();
    say('Recording');
  }

  button.addEventListener('click', () => { if (now) stop(true); else begin(); });
  away.addEventListener('click', () => { stop(false); button.focus(); });
  return { speaking: () => !!now, expected: () => asking || !!now, finish: () => stop(true) };
}
