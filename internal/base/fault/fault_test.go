package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"icouch/internal/base/fault"
)

var errTooShort = fault.On("name", fault.Invalid, "Use two letters or more.")

func TestAFaultKeepsItsSentenceKindAndField(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		err             error
		sentence, field string
	}{
		{"as declared", errTooShort, "Use two letters or more.", "name"},
		{"wrapped with a deed", fmt.Errorf("create: %w", errTooShort), "Use two letters or more.", "name"},
		{"told another field", fault.At("preferred", errTooShort), "Use two letters or more.", "preferred"},
	}
	for _, tt := range tests {
		sentence, field, ok := fault.As(tt.err)
		if !ok || sentence != tt.sentence || field != tt.field {
			t.Errorf("%s: %q on %q (%v), want %q on %q", tt.name, sentence, field, ok, tt.sentence, tt.field)
		}
		if !errors.Is(tt.err, errTooShort) || !errors.Is(tt.err, fault.Invalid) || errors.Is(tt.err, fault.Gone) {
			t.Errorf("%s: it is no longer the fault that was declared, or of another kind", tt.name)
		}
	}
	if _, _, ok := fault.As(errors.New("disk on fire")); ok {
		t.Error("our own mistake was taken for a sentence to a person")
	}
	if mine := errors.New("disk on fire"); fault.At("name", mine) != mine {
		t.Error("our own mistake was given a field")
	}
}
