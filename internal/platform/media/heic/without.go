//go:build !nodynamic

package heic

import (
	"errors"
	"image"
)

// Here says whether this program can open photographs.
const Here = false

var errNone = errors.New("heic: this program was built without its library")

func decode([]byte) (image.Image, error) { return nil, errNone }
