// Passkeys. The browser asks for a finger, a face or a PIN, and what it answers
// goes with the form. Without script the form is not shown.

const bytes = text => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

function question(form) {
  const q = JSON.parse(form.dataset.question);
  q.challenge = bytes(q.challenge);
  if (q.user) q.user.id = bytes(q.user.id);
  for (const list of [q.allowCredentials, q.excludeCredentials]) for (const c of list || []) c.id = bytes(c.id);
  return q;
}

function answer(c) {
  const r = c.response, response = { clientDataJSON: text(r.clientDataJSON) };
  if (r.attestationObject) {
    response.attestationObject = text(r.attestationObject);
    response.transports = r.getTransports?.() || [];
  } else {
    response.authenticatorData = text(r.authenticatorData);
    response.signature = text(r.signature);
    if (r.userHandle) response.userHandle = text(r.userHandle);
  }
  return JSON.stringify({ id: c.id, rawId: text(c.rawId), type: c.type, response, clientExtensionResults: {}, authenticatorAttachment: c.authenticatorAttachment || undefined });
}

let waiting; // for whoever picks a passkey in the e-mail field

async function ask(form, more) {
  const c = await navigator.credentials[form.dataset.passkey]({ publicKey: question(form), ...more });
  form.elements.answer.value = answer(c);
  form.submit();
}

async function press(form) {
  const said = form.querySelector('[data-passkey-said]');
  said.hidden = true;
  waiting?.abort();
  const name = form.querySelector('input[type=text]');
  if (name && !name.value.trim()) return form.submit(); // we say what is missing, before the device keeps a passkey for nothing
  try {
    await ask(form);
  } catch (e) {
    said.textContent = e.name === 'InvalidStateError' ? 'This device has a passkey for your account already.' : 'No passkey was used. Try again, or choose another way.';
    said.hidden = false;
  }
}

async function offer(form) {
  if (!await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
  waiting = new AbortController();
  try {
    await ask(form, { mediation: 'conditional', signal: waiting.signal });
  } catch {
    // Nobody picked one, or the button was pressed.
  }
}

for (const form of window.PublicKeyCredential ? document.querySelectorAll('[data-passkey]') : []) {
  form.hidden = false;
  for (const none of document.querySelectorAll('[data-no-passkey]')) none.hidden = true;
  form.addEventListener('submit', event => { event.preventDefault(); press(form); });
  if (form.hasAttribute('data-conditional')) offer(form);
}
