// Choosing several rows: "all", how many are chosen, and to how many of them a
// deed applies. The bar itself appears by style alone.
import { say } from '#app';

function count(list) {
  const boxes = [...list.querySelectorAll('tbody .pick')];
  const chosen = boxes.filter(box => box.checked);
  const every = list.querySelector('thead .pick');
  if (every) {
    every.checked = chosen.length > 0 && chosen.length === boxes.length;
    every.indeterminate = chosen.length > 0 && !every.checked;
  }
  const words = `${chosen.length} selected`;
  for (const out of list.querySelectorAll('[data-chosen]')) out.textContent = words;
  for (const button of list.querySelectorAll('button[data-applies]')) {
    const fit = chosen.filter(box => (box.dataset.can ?? '').split(' ').includes(button.dataset.applies)).length;
    const label = button.querySelector('[data-words]');
    label.dataset.full ??= label.textContent;
    label.textContent = fit === chosen.length ? label.dataset.full : `${label.dataset.full} ${fit} of ${chosen.length}`;
    button.disabled = fit === 0;
  }
  return words;
}

document.addEventListener('change', event => {
  const list = event.target.closest('.list');
  if (!list || !event.target.matches('.pick')) return;
  if (event.target.closest('thead')) {
    for (const box of list.querySelectorAll('tbody .pick')) box.checked = event.target.checked;
  }
  say(count(list));
});

// "Clear" is a reset button, which empties the boxes after this event.
document.addEventListener('reset', event => {
  const list = event.target.closest('.list');
  if (list) setTimeout(() => { say(count(list)); list.querySelector('tbody .pick')?.focus(); });
});

// The browser may have kept the boxes of the last visit.
const restore = () => document.querySelectorAll('.list').forEach(count);
addEventListener('pageshow', restore);
restore();
