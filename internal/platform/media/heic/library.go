//go:build nodynamic

package heic

import (
	"bytes"
	"errors"
	"fmt"
	"image"

	"github.com/gen2brain/heic"
)

// Here says whether this program can open photographs.
const Here = true

// least is how wide a photograph is at least. The library takes the rows of
// narrower pictures for shorter than they are, and mixes them up.
const least = 128

var errNarrow = errors.New("heic: not as wide as a photograph")

func decode(file []byte) (image.Image, error) {
	if c, err := heic.DecodeConfig(bytes.NewReader(file)); err == nil && c.Width < least {
		return nil, errNarrow
	}
	m, err := heic.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("heic: %w", err)
	}
	if m.Bounds().Dx() < least { // its head came late
		return nil, errNarrow
	}
	return m, nil
}
