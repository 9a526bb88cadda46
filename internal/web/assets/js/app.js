// Improves pages that already work without it. Nothing here is needed to read
// a page, fill in a form or send one.

const live = document.getElementById('live');
let clearing;

// say has a screen reader speak once, when it has finished its sentence.
export function say(text) {
  if (!live) return;
  clearTimeout(clearing);
  live.textContent = '';
  requestAnimationFrame(() => { live.textContent = text; });
  clearing = setTimeout(() => { live.textContent = ''; }, 8000);
}

// The one place where text becomes a page: only answers of our own server come
// here, and a document that is parsed this way runs no script.
const policy = globalThis.trustedTypes?.createPolicy('app', { createHTML: text => text }) ?? { createHTML: text => text };
export const parse = text => new DOMParser().parseFromString(policy.createHTML(text), 'text/html');

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// prepare wires what needs wiring element by element; a fragment that arrives
// later goes through it too.
export function prepare(root = document) {
  // Show and hide a password. The button is hidden while there is no script.
  for (const button of all('[data-reveal]', root)) {
    button.hidden = false;
    button.onclick = () => {
      const field = document.getElementById(button.dataset.reveal);
      const show = field.type === 'password';
      field.type = show ? 'text' : 'password';
      button.firstChild.textContent = show ? 'Hide' : 'Show';
      say(show ? 'Your password is shown' : 'Your password is hidden');
      field.focus();
    };
  }

  // Copy. The text beside the button can be selected without it.
  for (const button of all('[data-copy]', root)) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    const words = button.querySelector('[data-words]');
    button.onclick = async () => {
      const from = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(from.textContent);
        words.textContent = 'Copied';
        say('Copied');
        setTimeout(() => { words.textContent = 'Copy'; }, 2500);
      } catch {
        getSelection().selectAllChildren(from);
        say('The text is selected. Copy it with your keyboard.');
      }
    };
  }

  // A suggested password goes into its field. Without script it is text to copy.
  for (const button of all('[data-use]', root)) {
    const field = document.getElementById(button.dataset.field);
    if (!field) continue;
    button.hidden = false;
    button.onclick = () => {
      field.value = document.getElementById(button.dataset.use).textContent;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      field.focus();
      say('The password is filled in. Keep it where you keep your passwords.');
    };
  }

  // How many characters are left, said when it is getting short.
  for (const area of all('textarea[data-left]', root)) {
    const out = document.getElementById(area.dataset.left);
    const count = () => {
      const left = area.maxLength - area.value.length;
      out.textContent = left === 1 ? '1 character left' : `${left} characters left`;
    };
    area.addEventListener('input', count);
    area.addEventListener('change', () => { if (area.maxLength - area.value.length < 40) say(out.textContent); });
    count();
  }

  // The time zone is guessed once; people correct it.
  for (const zone of all('select[data-guess-zone]', root)) {
    if (zone.value) continue;
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if ([...zone.options].some(o => o.value === here)) zone.value = here;
  }

  for (const button of all('[data-print]', root)) { button.hidden = false; button.onclick = () => print(); }

  for (const toast of all('[data-toast]', root)) fade(toast);
  for (const hidden of all('[data-script][hidden]', root)) hidden.hidden = false;
}

// A toast leaves after ten seconds, unless someone is at it.
function fade(toast) {
  say(toast.querySelector('p').textContent);
  setTimeout(function leave() {
    if (toast.matches(':hover, :focus-within')) setTimeout(leave, 2000);
    else toast.remove();
  }, 10000);
}

// One press is enough. What counts is the key in the form; this is courtesy.
document.addEventListener('submit', event => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches('[data-once]')) return;
  const button = event.submitter;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = 'yes';
  if (button) setTimeout(() => { button.setAttribute('aria-busy', 'true'); button.disabled = true; });
});

// Back again, by the back button: what was typed is still there, and can be sent.
addEventListener('pageshow', event => {
  if (!event.persisted) return;
  for (const form of all('form[data-sent]')) delete form.dataset.sent;
  for (const button of all('[aria-busy="true"]')) { button.removeAttribute('aria-busy'); button.disabled = false; }
});

// "/" goes to the search box, unless someone is typing.
document.addEventListener('keydown', event => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.('input,textarea,select,[contenteditable]')) return;
  const search = document.querySelector('input[type=search]');
  if (search) { event.preventDefault(); search.focus(); search.select(); }
});

// "Leave this page" goes somewhere harmless and leaves no way back by the back button.
document.addEventListener('click', event => {
  const link = event.target.closest('a[data-leave]');
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); location.replace(link.href); }
});

prepare();
document.querySelector('[data-problems]')?.focus();
if (document.body.dataset.idle) import('#session');
if (document.querySelector('.list')) import('#list');
if (document.querySelector('[data-awaits]')) import('#states');
if (document.querySelector('[data-rests]')) import('#rests');
if (document.querySelector('form[data-live-search]')) import('#search');
