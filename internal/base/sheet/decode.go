package sheet

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const (
	noteWindows = "This file is in an older encoding (Windows-1252). Please check that accented letters look right."
	noteBroken  = "Some characters of this file could not be read and show as \ufffd. Please check them."
)

// beginnings of files that people choose by mistake.
var beginnings = []string{"PK\x03\x04", "%PDF", "\xd0\xcf\x11\xe0", "\x89PNG", "\xff\xd8\xff", "GIF8", "\x1f\x8b", "{\\rtf", "<!DOCTYPE", "<html", "<?xml", "Rar!", "7z\xbc\xaf"}

// decode returns the text of a file in whatever encoding it is, and a sentence
// if that had to be guessed.
func decode(data []byte) (text, note string, err error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		text, note = fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		text, note = fromUTF16(data[2:], binary.BigEndian)
	default:
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
		for _, b := range beginnings {
			if bytes.HasPrefix(data, []byte(b)) {
				return "", "", ErrNotCSV
			}
		}
		text = string(data)
		if !utf8.ValidString(text) {
			if text, err = charmap.Windows1252.NewDecoder().String(text); err != nil {
				return "", "", ErrNotCSV
			}
			note = noteWindows
		}
	}
	text = strings.TrimSuffix(text, "\x1a") // the end of a file, in DOS
	if binaryText(text) {
		return "", "", ErrNotCSV
	}
	return text, note, nil
}

func fromUTF16(data []byte, order binary.ByteOrder) (text, note string) {
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	text = string(utf16.Decode(units))
	if len(data) == 1 {
		text += "\ufffd" // half a character: the file was cut off
	}
	if strings.Contains(text, "\ufffd") {
		note = noteBroken
	}
	return text, note
}

// binaryText reports whether text has a NUL, or more control characters than a
// slip of a keyboard explains.
func binaryText(text string) bool {
	controls := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == 0:
			return true
		case c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\v' && c != '\f':
			controls++
		}
	}
	return controls > 2+len(text)/100
}
