// Search as you type. The form is sent as it would be by its button, and the
// named part of the answer takes the place of the one on the page. The cursor
// never moves, because the box is not in that part.
import { parse, prepare, say } from '#app';

const WAIT = 150;

function begin(form) {
  const box = form.querySelector('input[type=search]');
  const busy = document.getElementById(form.dataset.target);
  let timer, newest, shown = box.defaultValue;

  async function find() {
    const asked = box.value;
    if (asked === shown) return;
    newest?.abort();
    const mine = newest = new AbortController();
    busy?.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(form.action, {
        method: 'POST', body: new URLSearchParams(new FormData(form)), signal: mine.signal,
        credentials: 'same-origin', redirect: 'error', headers: { Accept: 'text/html' },
      });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const text = await answer.text();
      if (mine !== newest) return;
      show(text);
      shown = asked;
    } catch (error) {
      if (error.name !== 'AbortError') say('The search did not work. Press Enter to try again.');
    } finally {
      if (mine === newest) document.getElementById(form.dataset.target)?.removeAttribute('aria-busy');
    }
  }

  function show(text) {
    const page = parse(text);
    for (const id of [form.dataset.target, ...(form.dataset.also ?? '').split(' ')]) {
      const old = id && document.getElementById(id);
      const fresh = id && page.getElementById(id);
      if (!old || !fresh) continue;
      old.replaceWith(document.adoptNode(fresh));
      prepare(fresh);
    }
    const words = document.getElementById(form.dataset.target)?.dataset.say;
    if (words) say(words);
  }

  box.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(find, WAIT); });
  box.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || !box.value) return;
    event.preventDefault();
    box.value = '';
    clearTimeout(timer);
    find();
  });
  // Enter, when the answer is there already, has nothing to do.
  form.addEventListener('submit', event => {
    if (box.value === shown) event.preventDefault();
  });
  find(); // the browser may have kept what was typed
}

document.querySelectorAll('form[data-live-search]').forEach(begin);
