// "Sending…" becomes what has come of it, in the list of people and on a
// client's page, while the page is open, and the button beside it what can be done
// now. Once nothing is awaited, it listens no more.
import { parse, prepare, say } from '#app';
import { listen } from '#messages';

const waiting = () => [...document.querySelectorAll('[data-awaits]')];
const asked = waiting().map(state => state.dataset.awaits).join('&');

// What somebody is typing goes with no button: the form stays, and says what is so
// when it is sent. So does a button that has the focus, if there is none to take it.
const typed = form => [...form.querySelectorAll('textarea')].some(field => field.value || field === document.activeElement);

function place(old, fresh) {
  if (!fresh.dataset.as) return old;
  if (fresh.dataset.as === old.dataset.as) return null;
  const form = old.closest('form');
  const whole = form && (fresh.querySelector('form') || !fresh.firstChild) ? form : old;
  if (whole === form && typed(form)) return null;
  return whole.contains(document.activeElement) && !fresh.querySelector('a, button:enabled') ? null : whole;
}

const stop = listen(() => `/people/stream?${asked}`, {
  over() { // the page is read anew, unless somebody is typing: then what they typed stays
    stop();
    if (![...document.querySelectorAll('main textarea, main input')].some(field => field.value !== field.defaultValue)) location.reload();
  },
  states(event) {
    const words = [];
    for (const fresh of parse(event.data).body.querySelectorAll(':scope > [id]')) {
      const old = document.getElementById(fresh.id);
      if (!old || old.outerHTML === fresh.outerHTML) continue;
      const there = place(old, fresh);
      if (!there) continue;
      const held = there.contains(document.activeElement);
      if (old.dataset.awaits) words.push(fresh.textContent.trim().replace(/\s+/g, ' '));
      there.replaceWith(document.adoptNode(fresh));
      prepare(fresh);
      if (held) fresh.querySelector('a, button:enabled')?.focus();
    }
    if (words.length) say(words.length === 1 ? words[0] : `${words.length} letters have gone on`);
    if (!waiting().length) stop();
  },
});
