package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"icouch/internal/base/secret"
)

func TestATokenNeverPrintsItself(t *testing.T) {
	t.Parallel()
	token := secret.NewToken()
	j, err := json.Marshal(map[string]any{"t": token})
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %d", token, token, token, token, token, token, token) + string(j) + token.LogValue().String()
	if strings.Contains(printed, token.Reveal()) || strings.Count(printed, "[secret]") != 9 {
		t.Errorf("printed as %q", printed)
	}
}

func TestATokenComesBackFromItsLinkAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	token := secret.NewToken()
	if got := secret.ParseToken(token.Reveal()); !bytes.Equal(got.Hash(), token.Hash()) {
		t.Error("a token did not come back from its own text")
	}
	for _, s := range []string{"", "x", token.Reveal() + "A", token.Reveal()[1:], "!" + token.Reveal()[1:]} {
		if bytes.Equal(secret.ParseToken(s).Hash(), secret.ParseToken(s).Hash()) {
			t.Errorf("%q, which is no token, always gives the same one", s)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(secret.NewToken().Reveal())
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		token := secret.ParseToken(s)
		if got := secret.ParseToken(token.Reveal()); !bytes.Equal(got.Hash(), token.Hash()) {
			t.Errorf("%q gives a token that does not come back from its text", s)
		}
	})
}
