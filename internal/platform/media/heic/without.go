//go:build !nodynamic

package heic

import "image"

// Here says whether this program can open photographs.
const Here = false

func decode([]byte) (image.Image, error) { return nil, errNone }
