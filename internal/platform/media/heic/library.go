//go:build nodynamic

package heic

import (
	"bytes"
	"fmt"
	"image"

	"github.com/gen2brain/heic"
)

// Here says whether this program can open photographs.
const Here = true

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
