// Whoever leaves a page open is signed out after a while. The server decides
// when; this only tells it that somebody is there, asks two minutes before, and
// hands over what was typed when nobody answers.
import { say } from '#app';

const idle = Number(document.body.dataset.idle) * 1000;
const ends = Date.now() + Number(document.body.dataset.ends) * 1000;
const before = 2 * 60 * 1000;
const dialog = document.getElementById('still-there');
let used = Date.now();
let told = Date.now();
let edited = null; // the form that was typed in
let announced = 0;
const others = new BroadcastChannel('session'); // the other pages of this browser

others.onmessage = () => { used = Date.now(); if (dialog.open && !dialog.dataset.told) dialog.close('elsewhere'); };

// use notes that a person is here. The server hears of it once a minute at most.
function use() {
  used = Date.now();
  if (used - announced > 5000) { announced = used; others.postMessage('used'); }
  if (used - told < 60 * 1000) return;
  told = used;
  fetch('/session/stay', { method: 'POST', credentials: 'same-origin' }).catch(() => { told = 0; });
}

for (const kind of ['keydown', 'pointerdown', 'wheel', 'touchmove']) {
  addEventListener(kind, () => { if (!dialog.open) use(); }, { passive: true });
}
addEventListener('input', event => {
  const form = event.target.form;
  if (form && form.method === 'post' && !form.matches('[data-live-search]')) edited = form;
});
addEventListener('submit', event => { if (event.target.method === 'post') edited = null; });

dialog.addEventListener('close', () => { if (dialog.returnValue !== 'elsewhere') { told = 0; announced = 0; use(); } });

// over signs out, keeps what was typed, and goes to the page that says so.
async function over() {
  const body = new URLSearchParams();
  if (edited) {
    for (const [name, value] of new FormData(edited)) {
      if (typeof value === 'string' && edited.elements[name]?.type !== 'password') body.append(name, value);
    }
    body.set('kept-for', new URL(edited.action).pathname);
  }
  const here = location.pathname;
  try {
    const answer = await fetch('/session/over', { method: 'POST', body, credentials: 'same-origin' });
    if (answer.status === 409) { // another window is being used
      used = Date.now() - idle / 2;
      leaving = false;
      if (dialog.open) dialog.close('elsewhere');
      return;
    }
    location.replace(edited ? '/sign-in?said=kept&next=/kept' : `/sign-in?said=idle&next=${encodeURIComponent(here)}`);
  } catch {
    leaving = false; // no connection: the server signs out by itself, and this page tries again
    used = Date.now() - idle + 30 * 1000;
  }
}

let leaving = false;

function look() {
  const now = Date.now();
  const left = Math.min(used + idle, ends) - now;
  if (left <= 0 && !leaving) {
    leaving = true;
    over();
  } else if (left <= before && !dialog.open && !leaving) {
    if (ends - now <= before) {
      dialog.querySelector('[data-idle-title]').textContent = 'You will be signed out soon';
      dialog.querySelector('[data-idle-words]').textContent = 'Everybody signs in again after some hours, whatever they do. Save what you are at.';
      dialog.querySelector('[data-words]').textContent = 'All right';
      if (dialog.dataset.told) return;
      dialog.dataset.told = 'yes';
    }
    dialog.showModal();
    say(dialog.querySelector('[data-idle-title]').textContent);
  }
}

setInterval(look, 1000);
// A device that slept looks as soon as it wakes.
document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
