package mail

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// DKIM says how letters are signed, so that the receiving side can tell ours
// from somebody else's. The zero value signs nothing.
type DKIM struct {
	Domain   string // example.org
	Selector string // the public key is at <selector>._domainkey.<domain>
	KeyPEM   []byte // the private key: RSA of 2048 bits or more, or Ed25519
}

// signed are the fields a signature covers. From, To and Subject are named once
// more than they occur: adding a second one breaks the signature.
var signed = strings.Fields(`From From To To Subject Subject Date Message-ID Reply-To
	MIME-Version Content-Type Content-Transfer-Encoding Auto-Submitted List-Unsubscribe`)

// signer returns the options for signing, or nil if there is nothing to sign with.
func (d DKIM) signer() (*dkim.SignOptions, error) {
	if d.Domain == "" && d.Selector == "" && len(d.KeyPEM) == 0 {
		return nil, nil //nolint:nilnil // the zero value signs nothing
	}
	if d.Domain == "" || d.Selector == "" {
		return nil, errors.New("mail: signing needs a domain, a selector and a key")
	}
	key, err := privateKey(d.KeyPEM)
	if err != nil {
		return nil, fmt.Errorf("mail: read the signing key: %w", err)
	}
	return &dkim.SignOptions{
		Domain: d.Domain, Selector: d.Selector, Signer: key, Hash: crypto.SHA256,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		HeaderKeys:             signed,
	}, nil
}

func privateKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	var key any
	var err error
	if block.Type == "RSA PRIVATE KEY" {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	} else {
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, errors.New("it is not a private key in PKCS #1 or PKCS #8")
	}
	switch k := key.(type) {
	case ed25519.PrivateKey:
		return k, nil
	case *rsa.PrivateKey:
		if k.N.BitLen() < 2048 {
			return nil, errors.New("an RSA key of fewer than 2048 bits is too weak")
		}
		return k, nil
	}
	return nil, errors.New("it is neither RSA nor Ed25519")
}

// sign puts a signature in front of the letter.
func sign(content []byte, o *dkim.SignOptions) ([]byte, error) {
	s, err := dkim.NewSigner(o)
	if err != nil {
		return nil, err
	}
	_, err = s.Write(content)
	if closed := s.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	return append([]byte(s.Signature()), content...), nil
}
