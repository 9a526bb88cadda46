package mail

import (
	"context"
	"slices"
	"sync"
)

// Box is a Sender that keeps what it is given, for tests. It refuses what SMTP
// would refuse to write.
type Box struct {
	// Err, if set before the first Send, is asked about each letter; when it
	// answers with an error, Send fails with that and the letter is not kept.
	Err func(Message) error

	mu   sync.Mutex
	sent []Message
}

// Send keeps m.
func (b *Box) Send(_ context.Context, m Message) (Receipt, error) {
	if _, err := address(m); err != nil {
		return Receipt{}, err
	}
	if b.Err != nil {
		if err := b.Err(m); err != nil {
			return Receipt{}, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, m)
	return Receipt{Code: 250, Enhanced: "2.0.0", Accepted: true}, nil
}

// Sent returns the letters kept so far, in order.
func (b *Box) Sent() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent)
}
