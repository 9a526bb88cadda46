package cli

import (
	"context"
	"strings"
	"sync"

	"icouch/internal/base/secret"
	"icouch/internal/platform/mail"
)

// pouch takes the letters to invented people, and keeps the links in them.
type pouch struct {
	mu    sync.Mutex
	links []secret.Token
}

// Send keeps m's link, if it is an invitation's.
func (p *pouch) Send(_ context.Context, m mail.Message) (mail.Receipt, error) {
	if t, ok := joinLink(m.Text); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.links = append(p.links, t)
	}
	return mail.Receipt{Code: 250, Accepted: true}, nil
}

// take returns some of the links, each once.
func (p *pouch) take(most int) []secret.Token {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(most, len(p.links))
	taken := p.links[:n:n]
	p.links = p.links[n:]
	return taken
}

// joinLink finds an invitation's link in a letter.
func joinLink(letter string) (secret.Token, bool) {
	_, rest, ok := strings.Cut(letter, "/join/")
	if !ok {
		return secret.Token{}, false
	}
	link := strings.Fields(rest)[0]
	return secret.ParseToken(link), true
}
