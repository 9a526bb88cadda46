package bench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// overTLS measures what an open page takes where the program itself ends TLS
// and speaks HTTP/2.
func (r *run) overTLS() error {
	data, err := r.folder("tls")
	if err != nil {
		return err
	}
	t, err := r.converse(data, crowd, 0)
	if err != nil {
		return err
	}
	trust, err := r.certify(data)
	if err != nil {
		return err
	}
	p, err := r.launch(trust, func(base, address string) []string {
		return append(serving(data, base, address), "--tls-cert", certIn(data), "--tls-key", keyIn(data))
	})
	if err != nil {
		return err
	}
	defer p.stop()
	for range crowd / 2 { // so that it has been at work
		came, err := r.openPages(p, t, 0, 1)
		if err != nil {
			return err
		}
		hush(came)
	}
	all, each, err := r.weigh(p, t, 0, crowd)
	defer hush(all)
	if err != nil {
		return err
	}
	r.add(Row{"memory of an open page, TLS and HTTP/2", "", fmt.Sprintf("%.0f KB", each), "", fmt.Sprintf("≤ %.0f KB", goalSafeStream), judge(each <= goalSafeStream)})
	return nil
}

func certIn(data string) string { return filepath.Join(data, "cert.pem") }
func keyIn(data string) string  { return filepath.Join(data, "key.pem") }

// certify makes a certificate for this machine, and what trusts it.
func (r *run) certify(data string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	about := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: r.Now().Add(-time.Hour), NotAfter: r.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, &about, &about, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	err = errors.Join(os.WriteFile(certIn(data), chain, 0o600), os.WriteFile(keyIn(data), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(chain)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, err
}
