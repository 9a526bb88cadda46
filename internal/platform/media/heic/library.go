//go:build nodynamic

package heic

import (
	"bytes"
	"errors"
	"fmt"
	"image"

	"github.com/gen2brain/heic"

	"icouch/internal/platform/media"
)

// Here says whether this program can open photographs.
const Here = true

// least is how wide a photograph is at least. The library takes the rows of
// narrower pictures for shorter than they are, and mixes them up.
const least = 128

var errNarrow = errors.New("heic: not as wide as a photograph")

func decode(file []byte) (image.Image, error) {
	c, err := heic.DecodeConfig(bytes.NewReader(file))
	switch {
	case err != nil: // or its head comes late, and what it is going to take is not known
		return nil, fmt.Errorf("heic: %w", err)
	case c.Width < least:
		return nil, errNarrow
	case c.Width > media.MaxDots/max(c.Height, 1):
		return nil, errLarge
	}
	m, err := heic.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("heic: %w", err)
	}
	if m.Bounds().Dx() < least {
		return nil, errNarrow
	}
	return m, nil
}
