// "Sending…" becomes what has come of it, in the list of people and on a
// client's page, while the page is open. Once nothing is awaited, it listens no more.
import { parse, prepare, say } from '#app';
import { listen } from '#messages';

const waiting = () => [...document.querySelectorAll('[data-awaits]')];
const asked = waiting().map(state => state.dataset.awaits).join('&');

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
      const held = old.contains(document.activeElement);
      if (old.dataset.awaits) words.push(fresh.textContent.trim().replace(/\s+/g, ' '));
      old.replaceWith(document.adoptNode(fresh));
      prepare(fresh);
      if (held) fresh.querySelector('a, button')?.focus();
    }
    if (words.length) say(words.length === 1 ? words[0] : `${words.length} letters have gone on`);
    if (!waiting().length) stop();
  },
});
