package media

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
)

// A camera does not turn its picture; it notes in the picture's Exif block how
// to. Only that one number is read, and nothing of the block is kept.

// exifLimit is how large a block may be that is looked into.
const exifLimit = 64 << 10

// orientation finds how a picture is to be turned, 1 to 8. Where nothing is said
// that makes sense, it is upright: 1.
func orientation(r io.ReadSeeker, t Type) (turn int, err error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	in := bufio.NewReader(r)
	var block []byte
	switch t {
	case JPEG:
		block = jpegExif(in)
	case PNG:
		block = chunkOf(in, 8, "eXIf", "IDAT", binary.BigEndian, 4)
	case WebP:
		block = bytes.TrimPrefix(chunkOf(in, 12, "EXIF", "", binary.LittleEndian, 0), []byte("Exif\x00\x00"))
	}
	return readOrientation(block), nil
}

// jpegExif finds the block among the segments before the picture.
func jpegExif(in *bufio.Reader) []byte {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:2]); err != nil || head[0] != 0xff || head[1] != 0xd8 {
		return nil
	}
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil || head[0] != 0xff || head[1] == 0xda || head[1] == 0xff {
			return nil // also: padding between segments, which cameras do not write
		}
		size := int(binary.BigEndian.Uint16(head[2:])) - 2
		if size < 0 {
			return nil
		}
		if head[1] != 0xe1 {
			if _, err := in.Discard(size); err != nil {
				return nil
			}
			continue
		}
		segment := make([]byte, size)
		if _, err := io.ReadFull(in, segment); err != nil {
			return nil
		}
		if block, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok {
			return block
		}
	}
}

// chunkOf finds a chunk of a file that is a row of them after skip bytes: PNG
// puts the length before the name and after bytes behind, WebP the name before
// the length.
func chunkOf(in *bufio.Reader, skip int, want, stop string, order binary.ByteOrder, after int64) []byte {
	if _, err := in.Discard(skip); err != nil {
		return nil
	}
	for {
		var head [8]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return nil
		}
		name, size := string(head[:4]), int64(order.Uint32(head[4:]))
		if after > 0 {
			name, size = string(head[4:]), int64(order.Uint32(head[:4]))
		}
		switch {
		case name == stop:
			return nil
		case name == want && size <= exifLimit:
			block := make([]byte, size)
			if _, err := io.ReadFull(in, block); err != nil {
				return nil
			}
			return block
		}
		if after == 0 {
			size += size & 1 // WebP fills up to even
		}
		if _, err := io.CopyN(io.Discard, in, size+after); err != nil {
			return nil
		}
	}
}

// readOrientation reads tag 0x0112 of the first directory of a TIFF block.
func readOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	entries := int(order.Uint16(b[at:]))
	b = b[at+2:]
	for range entries {
		if len(b) < 12 {
			return 1
		}
		if order.Uint16(b) == 0x0112 {
			if v := int(order.Uint16(b[8:])); order.Uint16(b[2:]) == 3 && v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		b = b[12:]
	}
	return 1
}
