// A letter has just gone: when a minute is over, the button beside sends another.
export function begin() {
  setTimeout(() => {
    for (const hint of document.querySelectorAll('[data-rests]')) {
      const button = hint.parentElement.querySelector('button:disabled');
      if (button) { button.disabled = false; button.removeAttribute('aria-describedby'); }
      hint.remove();
    }
  }, 60000);
}

begin();
