package web

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// QR is a square of black and white that a camera reads.
type QR struct {
	Box  string // the viewBox
	Path string // every black run, one unit high
}

// margin is the white around it, as cameras want it.
const margin = 4

func drawQR(text string) (QR, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return QR{}, fmt.Errorf("draw a code: %w", err)
	}
	n := code.Bounds().Dx()
	var path strings.Builder
	for y := range n {
		for x := 0; x < n; x++ {
			run := 0
			for x+run < n && dark(code.At(x+run, y).RGBA()) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+margin, y+margin, run, run)
				x += run
			}
		}
	}
	return QR{fmt.Sprintf("0 0 %d %d", n+2*margin, n+2*margin), path.String()}, nil
}

func dark(r, _, _, _ uint32) bool { return r == 0 }
