package account_test

import (
	"strings"
	"testing"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/platform/db"
)

// Every letter says in plain text all that its HTML says, has one thing to
// press and no mark left unfilled, and tells who did not ask what to do.
func TestEveryLetterIsWholeAndCalm(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	david := h.person(t, "David", "david@example.com", false)
	here := h.begin(t, annie, account.Place{})
	for range 2 {
		h.do(t, func(tx *db.Tx) error {
			return account.BeginSignUp(tx, access.Guest(), "Rashida", mailbox(t, "rashida@example.com"))
		})
		h.do(t, func(tx *db.Tx) error {
			return account.BeginSignUp(tx, access.Guest(), "Rashida", mailbox(t, "david@example.com"))
		})
		h.do(t, func(tx *db.Tx) error {
			return account.AskReset(tx, access.Guest(), mailbox(t, "annie.noda@example.com"))
		})
		h.do(t, func(tx *db.Tx) error { return account.AskVerify(tx, david, david.Account()) })
	}
	h.do(t, func(tx *db.Tx) error { return account.SetPassword(tx, annie, cheap(right), here) })
	first := token(t, h.moved(t, annie, "one@example.com"), "email-back")
	h.moved(t, annie, "two@example.com")
	h.do(t, func(tx *db.Tx) error { return account.Revert(tx, access.Guest(), first) })
	h.deliver(t)

	subjects := map[string]int{}
	for _, m := range h.mail.Sent() {
		subjects[m.Subject]++
		for _, s := range []string{m.Subject, m.Text, m.HTML, m.FromName} {
			if strings.Contains(s, "⟦") || strings.Contains(s, "!") && s == m.Text || s == "" {
				t.Errorf("%s: an empty part, an exclamation mark, or a mark left in:\n%s", m.Subject, s)
			}
		}
		if n := strings.Count(m.Text, "https://"); n > 1 || strings.Count(m.HTML, "<a ") != n {
			t.Errorf("%s: %d links in the text", m.Subject, n)
		}
		if !strings.Contains(m.Text, "We never ask by e-mail for a password") || !strings.Contains(m.Text, "Please do not answer this e-mail") {
			t.Errorf("%s does not say how to know it", m.Subject)
		}
		if m.Subject != "Your sign-in e-mail was put back" && !strings.Contains(m.Text, "Was this not you?") && !strings.Contains(m.Text, "If you did not") {
			t.Errorf("%s says nothing to who did not ask:\n%s", m.Subject, m.Text)
		}
		for line := range strings.Lines(m.Text) {
			if len([]rune(line)) > 73 && !strings.HasPrefix(line, "https://") {
				t.Errorf("%s: a long line: %s", m.Subject, line)
			}
		}
	}
	for subject, n := range map[string]int{"Confirm your e-mail address": 4, "You already have an account": 2, "Choose a new password": 2,
		"Your password was changed": 1, "Confirm your new e-mail address": 2, "Your sign-in e-mail was changed": 2, "Your sign-in e-mail was put back": 1} {
		if subjects[subject] != n {
			t.Errorf("%q came %d times, want %d", subject, subjects[subject], n)
		}
	}
}
