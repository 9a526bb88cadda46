// The device's time zone instead of the practice's, unless the person is at it
// already. Browsers call some cities by older names: what counts is that both
// names mean one zone.
const zone = document.querySelector('select[name="zone"]');

function canonical(name) {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return '';
  }
}

if (zone) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const options = [...zone.options];
  const found = options.find(o => o.value === here) || options.find(o => o.value && canonical(o.value) === here);
  if (found) zone.value = found.value;
}
