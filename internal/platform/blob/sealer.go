package blob

import (
	"crypto/sha256"
	"hash"
	"io"

	"icouch/internal/platform/crypt"
)

// sealer writes what it is given in sealed pieces. A full piece is kept back
// until more comes: it may be the last one.
type sealer struct {
	to     io.Writer
	pieces *crypt.Pieces
	sha    hash.Hash
	piece  []byte // not yet written
	sealed []byte
	number int64
}

func newSealer(to io.Writer, p *crypt.Pieces) sealer {
	return sealer{to: to, pieces: p, sha: sha256.New(), piece: make([]byte, 0, crypt.PieceSize), sealed: make([]byte, 0, crypt.SealedPiece)}
}

func (s *sealer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if len(s.piece) == crypt.PieceSize {
			if err := s.put(crypt.Inner); err != nil {
				return n, err
			}
		}
		some := min(len(p), crypt.PieceSize-len(s.piece))
		s.piece = append(s.piece, p[:some]...)
		p, n = p[some:], n+some
	}
	return n, nil
}

// finish writes the last piece.
func (s *sealer) finish() error { return s.put(crypt.Last) }

func (s *sealer) put(as crypt.Standing) error {
	s.sha.Write(s.piece)
	s.sealed = s.pieces.Seal(s.sealed[:0], s.piece, s.number, as)
	s.number, s.piece = s.number+1, s.piece[:0]
	_, err := s.to.Write(s.sealed)
	return err
}

func (s *sealer) sum() (sum [32]byte) {
	s.sha.Sum(sum[:0])
	return sum
}
