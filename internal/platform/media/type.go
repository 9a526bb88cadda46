// Package media looks at what people send: what it is by its content, whatever
// its name says; copies of pictures that hold the picture and nothing else, no
// place and no camera; small ones to look at; names that are safe to show and to
// save under.
//
// Pictures that can be decoded (JPEG, PNG, GIF, WebP, HEIC) are never handed on
// as they came. All else passes unchanged, and is for saving, not for showing.
// See docs/adr/0011.
package media

import (
	"bytes"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Type is what a file is, as a media type without parameters.
type Type string

// The types that are treated by name.
const (
	JPEG Type = "image/jpeg"
	PNG  Type = "image/png"
	GIF  Type = "image/gif"
	WebP Type = "image/webp"
	HEIC Type = "image/heic"
	HEIF Type = "image/heif" // HEIC under another brand, for our purposes
	PDF  Type = "application/pdf"

	AudioMP4  Type = "audio/mp4"
	AudioWebM Type = "audio/webm"
	AudioOgg  Type = "audio/ogg"

	Text    Type = "text/plain"
	Unknown Type = "application/octet-stream"
)

// HeadSize is how much of the beginning of a file Detect wants to see.
const HeadSize = 64 << 10

// Detect says what a file is by how it begins.
func Detect(head []byte) Type {
	kind, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	t := Type(kind)
	switch t {
	case "image/heic-sequence", "image/heif-sequence":
		return HEIC
	case "audio/x-m4a":
		return AudioMP4
	case "video/webm", "audio/webm": // a recorder says in its list of tracks what it recorded
		if sounds(head, "A_OPUS", "A_VORBIS") && !sounds(head, "V_VP8", "V_VP9", "V_AV1", "V_MPEG") {
			return AudioWebM
		}
	case "video/mp4", "audio/mp4":
		if sounds(head, "soun") && !sounds(head, "vide") {
			return AudioMP4
		}
	case "application/ogg":
		if sounds(head, "OpusHead", "vorbis", "Speex") && !sounds(head, "theora") {
			return AudioOgg
		}
	}
	return t
}

func sounds(head []byte, any ...string) bool {
	for _, s := range any {
		if bytes.Contains(head, []byte(s)) {
			return true
		}
	}
	return false
}

// Picture says whether Studio makes copies of this type; the original is then
// not to be kept.
func (t Type) Picture() bool {
	switch t {
	case JPEG, PNG, GIF, WebP, HEIC, HEIF:
		return true
	}
	return false
}

// Shown says whether a browser may show the file in a page: what Studio made,
// and sound. All else is saved.
func (t Type) Shown() bool {
	switch t {
	case JPEG, PNG, AudioMP4, AudioWebM, AudioOgg, "audio/mpeg", "audio/wav", "audio/aac", "audio/flac":
		return true
	}
	return false
}

// Extension is how a file of this type is named at its end, with the dot.
func (t Type) Extension() string {
	if all := extensions(t); len(all) > 0 {
		return all[0]
	}
	if m := mimetype.Lookup(string(t)); m != nil && m.Extension() != "" {
		return m.Extension()
	}
	return ".bin"
}

// extensions are the ends of names that agree with a type; the first is ours.
func extensions(t Type) []string {
	switch t {
	case JPEG:
		return []string{".jpg", ".jpeg", ".jpe", ".jfif"}
	case PNG:
		return []string{".png"}
	case HEIC, HEIF:
		return []string{".heic", ".heif", ".hif"}
	case AudioMP4:
		return []string{".m4a", ".mp4", ".aac"}
	case AudioWebM:
		return []string{".webm", ".weba"}
	case AudioOgg:
		return []string{".ogg", ".oga", ".opus"}
	case "audio/mpeg":
		return []string{".mp3"}
	case "video/mp4":
		return []string{".mp4", ".m4v"}
	case "video/quicktime":
		return []string{".mov", ".qt"}
	case "image/tiff":
		return []string{".tif", ".tiff"}
	case "text/html":
		return []string{".html", ".htm"}
	case "text/xml", "application/xml":
		return []string{".xml", ".gpx", ".kml"}
	case "application/zip": // what else is one, and does not always say so first
		return []string{".zip", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".pages", ".numbers", ".key"}
	case "application/x-ole-storage":
		return []string{".doc", ".xls", ".ppt", ".msg"}
	case Text: // what cannot be told apart by content
		return []string{".txt", ".md", ".csv", ".tsv", ".log", ".text", ".ics", ".vcf", ".json", ".rtf", ".srt", ".yaml", ".yml"}
	}
	return nil
}
