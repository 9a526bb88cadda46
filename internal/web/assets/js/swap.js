// For the pages that change in part: htmx, with its gate in front of it. The
// order matters; the page is looked at only when all three are there.
import '#htmx';
import '#hx-csp';
import '#hx-sse';
import { prepare, say } from '#app';

document.addEventListener('htmx:after:swap', event => {
  const part = event.target;
  prepare(part);
  const words = part.dataset?.say;
  if (words) say(words);
});

const failed = () => say('That did not work. Please try again.');
document.addEventListener('htmx:error', failed);
document.addEventListener('htmx:response:error', event => {
  const status = event.detail?.ctx?.response?.status;
  if (status !== 422 && status !== 401) failed();
});
